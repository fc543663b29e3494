import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data import shards_by_threads as module
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.shard_note import ShardNote
from landmark_zoo.data.shard_plan import ShardPlan
from landmark_zoo.data.shards_by_threads import shards_by_threads


@pytest.fixture
def plan(photo_folder):
    catalogue = read_folder([photo_folder({"a": 30})])
    return ShardPlan(catalogue, "train", 3, 0, 64, LabelMap("a"))


def test_each_file_and_its_note(plan, tmp_path):
    todo = list(plan.shards())[1:]
    shards_by_threads(tmp_path, plan, todo, strict=False, workers=2)
    assert [ShardNote.load(tmp_path, name) is not None for name, _ in plan.shards()] == [False, True, True]


def test_few_photographs_are_in_memory_at_a_time(plan, tmp_path, monkeypatch):
    begun, most, done = [], [], []
    make_record, write_shard = module.make_record, module.write_shard

    def counting(entry, label, **options):
        begun.append(entry)
        most.append(len(begun) - len(done))
        return make_record(entry, label, **options)

    def taking(directory, name, results, strict):
        return write_shard(directory, name, (done.append(result) or result for result in results), strict=strict)

    monkeypatch.setattr(module, "make_record", counting)
    monkeypatch.setattr(module, "write_shard", taking)
    shards_by_threads(tmp_path, plan, list(plan.shards()), strict=False, workers=2)
    assert len(done) == 30
    assert max(most) <= 2 * 4 + 1


def test_strict_stops_at_a_bad_photograph(plan, tmp_path):
    open(plan.entries[0].path, "wb").close()
    with pytest.raises(UserError, match="empty file"):
        shards_by_threads(tmp_path, plan, list(plan.shards()), strict=True, workers=2)
