from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.place import Place
from landmark_zoo.training.save_times import SaveTimes


def test_every_so_many_steps():
    times = SaveTimes(TrainingConfig(checkpoint_steps=3), lambda: False, step=0)
    assert [times.after(step) for step in range(1, 7)] == [(step % 3 == 0, False) for step in range(1, 7)]
    assert not times.told()


def test_after_so_many_seconds(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("landmark_zoo.training.save_times.time.monotonic", lambda: now[0])
    times, saved = SaveTimes(TrainingConfig(checkpoint_seconds=25), lambda: False, step=0), []
    for step in range(1, 8):
        now[0] += 10
        saved.append(times.after(step)[0])
    assert saved == [False, False, True, False, False, True, False]


def test_told_to_end():
    told = []
    times = SaveTimes(TrainingConfig(), lambda: bool(told), step=4)
    assert times.after(5) == (False, False)
    told.append(1)
    assert times.after(6) == (True, True)
    assert times.told()


def test_two_workers_ask_each_other_about_once_a_second(monkeypatch):
    """Steps of 0.3 s: questions after steps 1, 4, 7, ...; only then is the other worker's signal known here."""
    now, asked = [0.0], []
    module = "landmark_zoo.training.save_times"
    monkeypatch.setattr(f"{module}.time.monotonic", lambda: now[0])
    monkeypatch.setattr(f"{module}.Place.here", lambda: Place(2, 0, 2))

    def with_the_other(*values):
        asked.append(step)
        return (values[0] + (step >= 5), *values[1:])
    monkeypatch.setattr(f"{module}.sum_over_workers", with_the_other)
    times, ended = SaveTimes(TrainingConfig(), lambda: False, step=0), []
    for step in range(1, 8):
        now[0] += 0.3
        ended.append(times.after(step)[1])
    assert asked == [1, 4, 7]
    assert ended == [False] * 6 + [True]
