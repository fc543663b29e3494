"""Plan and folder of the cluster self-test; its parts run in tests/experiments/test_selftest.py."""

import dataclasses

import pytest

from experiments.benchmarks.cluster import MAX_NODES, Plan, capability, draw_records, make_plan, saved_step, write_plan
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.manifest import read_manifest


@pytest.mark.parametrize(("nodes", "cards"), [(1, 0), (1, 1), (1, 3), (2, 0), (2, 4), (3, 8), (5, 0), (20, 8)])
def test_every_run_divides_its_batches(nodes, cards):
    plan = make_plan(nodes, ["8.0"] * cards)
    assert plan.replicas == nodes * max(1, cards)
    for batch_size in (plan.batch_size, plan.full_batch_size):
        assert batch_size % plan.replicas == 0
    assert plan.batch_size % max(1, cards) == 0
    assert not cards or plan.batch_size <= max(64, plan.replicas), "one card must hold it"


def test_parts_that_make_sense():
    def names(nodes, capabilities):
        return [name for name, *_ in make_plan(nodes, capabilities).parts()]
    assert names(2, []) == ["machine", "one", "nodes", "mixed", "all_reduce", "interrupted", "resumed", "input"]
    assert names(1, ["7.0"]) == ["machine", "one", "mixed", "full", "interrupted", "resumed", "input"]
    assert names(2, ["8.0"] * 4) == ["machine", "one", "node", "nodes", "mixed", "full", "all_reduce", "interrupted",
                                     "resumed", "input"]
    assert {count for name, count, _ in make_plan(2, ["8.0"]).parts() if name in ("one", "mixed", "input")} == {1}


@pytest.mark.parametrize(("cards", "policy", "tensor_cores"), [
    (["6.0"], "mixed_float16", False), (["7.0", "7.0"], "mixed_float16", True), (["8.0"], "mixed_bfloat16", True),
    (["?"], "mixed_float16", False), ([], "mixed_bfloat16", False)])
def test_mixed_precision_by_the_cards(cards, policy, tensor_cores):
    plan = make_plan(1, cards)
    assert (plan.mixed, plan.has_tensor_cores) == (policy, tensor_cores)


def test_capability():
    assert [capability(text) for text in ("12.1", "9", "a.b", "", "1.2.3", "9999.0")] == [(12, 1), *5 * [(0, 0)]]


@pytest.mark.parametrize("change", [{"nodes": 0}, {"nodes": MAX_NODES + 1}, {"nodes": "2"}, {"capabilities": [8]},
                                    {"steps": None}])
def test_a_plan_is_read_as_written_and_no_other(tmp_path, change):
    plan = make_plan(2, ["8.0"])
    write_json(tmp_path / "plan.json", dataclasses.asdict(plan))
    assert Plan.read(tmp_path) == plan
    write_json(tmp_path / "plan.json", dataclasses.asdict(plan) | change)
    with pytest.raises(UserError):
        Plan.read(tmp_path)


def test_records_fill_every_run(tmp_path):
    plan = make_plan(2, [])
    draw_records(tmp_path, plan, landmarks=2, views=2)
    manifest = read_manifest(tmp_path / "records" / "train")
    assert manifest.num_examples == plan.steps * plan.batch_size
    assert len(manifest.label_map) == 2
    assert len(list((tmp_path / "photographs").iterdir())) == 4


def test_an_earlier_self_test_is_replaced_and_nothing_else(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("experiments.benchmarks.cluster.draw_records", lambda *words: drawn.append(words))
    folder = tmp_path / "selftest"
    write_plan(folder, 3)
    (folder / "runs" / "one").mkdir(parents=True)
    (folder / "codes.txt").write_text("one 0 1\n")
    write_plan(folder, None)
    assert Plan.read(folder).nodes == 2
    assert sorted(path.name for path in folder.iterdir()) == ["facts", "parts.txt", "plan.json"]
    assert (folder / "parts.txt").read_text().splitlines()[:3] == ["machine 2 5", "one 1 4", "nodes 2 4"]
    (folder / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"thesis\.tex"):
        write_plan(folder, None)
    assert (folder / "plan.json").exists()
    for strange in ("records", "plan.json"):
        mine = tmp_path / f"mine {strange}"
        (mine / strange).mkdir(parents=True)
        with pytest.raises(UserError, match="an earlier self-test"):
            write_plan(mine, None)
        assert (mine / strange).is_dir(), "somebody's records stay"
    assert len(drawn) == 2


def test_several_machines_with_cards_need_slurm(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.benchmarks.cluster.cards_seen", lambda: [{"name": "A100", "capability": "8.0"}])
    monkeypatch.setattr("experiments.benchmarks.cluster.draw_records", lambda *_: None)
    monkeypatch.delenv("SLURM_STEP_ID", raising=False)
    with pytest.raises(UserError, match="sbatch"):
        write_plan(tmp_path / "a", 2)
    write_plan(tmp_path / "a", None)
    assert read_json(tmp_path / "a" / "plan.json")["nodes"] == 1
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    write_plan(tmp_path / "b", 2)
    assert Plan.read(tmp_path / "b").replicas == 2


def test_no_checkpoint_is_no_step(tmp_path):
    assert saved_step(tmp_path) is None
