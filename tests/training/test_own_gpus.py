import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.own_gpus import own_gpus, take_own_gpus


def node(tasks, local=0, gpus=4):
    return {"SLURM_STEP_TASKS_PER_NODE": f"{tasks}(x2)", "SLURM_NODEID": "1", "SLURM_LOCALID": str(local),
            "SLURM_GPUS_ON_NODE": str(gpus)}


@pytest.mark.parametrize(("visible", "environ", "expected"), [
    (2, {}, [0, 1]),
    (4, node(1), [0, 1, 2, 3]),
    (1, node(4, local=3), [0]),
    (4, node(4, local=3), [3]),
    (4, node(2, local=1), [2, 3]),
    (0, node(2, gpus=0), [])],
    ids=["no Slurm", "a task per node", "bound by Slurm", "a task per GPU", "two per task", "CPU"])
def test_own(visible, environ, expected):
    assert list(own_gpus(visible, environ)) == expected


def test_they_cannot_be_shared():
    with pytest.raises(UserError, match="3 tasks can share evenly; received 4"):
        own_gpus(4, node(3))


def test_none_here_or_all_taken_with_growing_memory(monkeypatch):
    taken, growing = [], []
    config = "landmark_zoo.training.own_gpus.tf.config"
    monkeypatch.setattr(f"{config}.get_visible_devices", lambda _: ["a", "b", "c", "d"])
    monkeypatch.setattr(f"{config}.set_visible_devices", lambda gpus, _: taken.extend(gpus))
    monkeypatch.setattr(f"{config}.experimental.set_memory_growth", lambda gpu, grows: growing.append((gpu, grows)))
    assert take_own_gpus(node(2, local=1)) == 2
    assert taken == ["c", "d"]
    assert growing == [("c", True), ("d", True)]
    monkeypatch.setattr(f"{config}.get_visible_devices", lambda _: [])
    assert take_own_gpus({}) == 0
