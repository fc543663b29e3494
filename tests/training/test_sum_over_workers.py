"""With one worker; two are in test_local_workers.py."""

from landmark_zoo.training.sum_over_workers import of_chief, sum_over_workers


def test_alone():
    assert sum_over_workers(1, True, 2.5) == (1.0, 1.0, 2.5)
    assert of_chief(7) == 7
