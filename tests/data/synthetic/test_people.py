import numpy as np

from landmark_zoo.data.synthetic.people import draw_person


def test_people_stand_upright_and_differ():
    drawn = [draw_person(np.random.default_rng(seed)).pixels for seed in range(6)]
    for person in drawn:
        rows = np.flatnonzero((person[..., 3] > 127).any(1))
        assert np.ptp(rows) > 0.9 * len(person)
        assert (person[..., 3] > 127).any(0).sum() < 0.5 * len(person)
    assert len({person.tobytes() for person in drawn}) == 6
