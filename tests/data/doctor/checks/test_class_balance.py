import numpy as np
import pytest

from landmark_zoo.data.doctor.checks.class_balance import chance_of_imbalance


def test_two_classes_by_hand():
    # 10 of 10 + 10 records: 184,756 ways to draw them, 2 (45 45 + 10 10 + 1) of them at 8 + 2 or farther out: .023
    assert chance_of_imbalance(np.array([8, 2]), np.array([10, 10])) == pytest.approx(0.023, abs=0.02)
    assert chance_of_imbalance(np.array([5, 5]), np.array([10, 10])) == pytest.approx(1.0)


@pytest.mark.parametrize("totals", [[4], [0, 4], [0, 0]])
def test_nothing_to_say(totals):
    assert chance_of_imbalance(np.array(totals) // 2, np.array(totals)) == 1.0


def test_a_file_of_everything():
    assert chance_of_imbalance(np.array([3, 4]), np.array([3, 4])) == 1.0


def test_shuffled_files_are_not_suspected():
    """A long tail of landmarks with one picture, as in Google Landmarks."""
    draw = np.random.default_rng(0)
    totals = np.sort(draw.zipf(1.8, 5000).clip(1, 500))
    labels = draw.permutation(np.repeat(np.arange(5000), totals))
    chances = [chance_of_imbalance(np.bincount(part, minlength=5000), totals) for part in np.array_split(labels, 40)]
    assert min(chances) > 1e-5


def test_sorted_files_are():
    labels = np.repeat(np.arange(5000), 4)
    chances = [chance_of_imbalance(np.bincount(part, minlength=5000), np.full(5000, 4))
               for part in np.array_split(labels, 40)]
    assert max(chances) < 1e-12
