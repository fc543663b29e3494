import re
from collections import Counter

import pytest

from landmark_zoo.data.synthetic.plans import PLANS
from landmark_zoo.data.synthetic.schedule import draw_schedule
from landmark_zoo.data.synthetic.size import Size


@pytest.fixture(scope="module")
def schedule():
    return draw_schedule(0, Size())


def test_equal_seeds_give_equal_schedules(schedule):
    assert draw_schedule(0, Size()) == schedule
    other = draw_schedule(1, Size())
    assert not {shot.path for shot in other.train} & {shot.path for shot in schedule.train}


def test_ids_are_unique_hexadecimal_and_say_the_folder(schedule):
    paths = [shot.path for shot in schedule.train + schedule.index + schedule.test]
    assert len(set(paths)) == len(paths)
    assert all(re.fullmatch(r"(train|index|test)/([0-9a-f])/([0-9a-f])/([0-9a-f])/\2\3\4[0-9a-f]{13}\.jpg", path)
               for path in paths)


def test_parts_share_no_landmark(schedule):
    train, index, test, revisited = ({shot.site for shot in part if schedule.plans[shot.site]} for part in (
        schedule.train, schedule.index, schedule.test, schedule.revisited_index + schedule.revisited_queries))
    assert test <= index
    assert not train & index
    assert not (train | index) & revisited


def test_landmark_ids_have_gaps(schedule):
    ids = [number for number in schedule.landmark_ids if number is not None]
    assert ids == sorted(set(ids))
    assert max(ids) > 10 * len(ids)
    assert [number is None for number in schedule.landmark_ids] == [plan is None for plan in schedule.plans]


def test_class_sizes_have_a_long_tail(schedule):
    counts = Counter(shot.label for shot in schedule.train)
    assert len(counts) == 80
    assert sum(count == 1 for count in counts.values()) >= 2
    assert max(counts.values()) > 45
    assert 80 * 24 <= sum(counts.values()) <= 80 * 24 * 1.02


def test_shares_of_trouble(schedule):
    train = schedule.train
    wrong = [shot for shot in train if schedule.plans[shot.site] and shot.site != shot.label]
    clutter = [shot for shot in train if not schedule.plans[shot.site]]
    shown = Counter((shot.site, shot.view) for shot in train)
    everything = train + schedule.index + schedule.test
    assert 0.02 < len(wrong) / len(train) < 0.04
    assert 0.01 < len(clutter) / len(train) < 0.03
    assert 0.005 < sum(count - 1 for count in shown.values()) / len(train) < 0.015
    assert 0.02 < sum(shot.gray for shot in everything) / len(everything) < 0.04
    assert 0.04 < sum(shot.orientation != 1 for shot in everything) / len(everything) < 0.06
    assert {shot.orientation for shot in everything} == set(range(1, 9))
    assert sum(shot.dated for shot in everything) / len(everything) > 0.8


def test_kinds_of_buildings_come_up_equally_often(schedule):
    counts = Counter(schedule.plans[site] for site in {shot.label for shot in schedule.train})
    assert set(counts) == set(PLANS)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_index_holds_distractors_of_both_sorts(schedule):
    queried = {shot.label for shot in schedule.test}
    others = [shot for shot in schedule.index if shot.label not in queried or shot.label is None]
    assert len(others) == 150
    assert 0 < sum(shot.label is not None for shot in others) < 150


def test_revisited_pictures_are_upright_and_queries_apart(schedule):
    shots = schedule.revisited_index + schedule.revisited_queries
    assert all(shot.orientation == 1 and not shot.gray for shot in shots)
    assert len({shot.path for shot in shots}) == len(shots)
    assert len(schedule.revisited_queries) == 12
    assert 130 <= len(shots) <= 170


@pytest.mark.parametrize("sizes", [{"train_landmarks": 1, "train_views": 1, "benchmark_landmarks": 1, "index_views": 1,
                                    "query_views": 1, "distractors": 0}, {"train_landmarks": 2, "train_views": 2}])
def test_the_smallest_sizes_work(sizes):
    schedule = draw_schedule(0, Size(**sizes))
    assert len({shot.label for shot in schedule.train}) == sizes["train_landmarks"]
    assert schedule.revisited_queries
