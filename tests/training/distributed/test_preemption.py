import signal

import pytest

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.distributed.preemption import CheckpointSchedule, PreemptionHandler


def deliver(number):
    """Calls a signal's handler as Python does; real signals end a process in which OpenVINO has run (see the slow tests)."""
    signal.getsignal(number)(number, None)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_remembers_and_gives_the_handlers_back(number):
    before = signal.getsignal(number)
    with PreemptionHandler() as stop:
        assert not stop()
        deliver(number)
        assert stop()
        assert stop.received == number
    assert signal.getsignal(number) == before


def test_takes_the_signal_back_from_somebody_else():
    with PreemptionHandler() as stop:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.install()
        deliver(signal.SIGTERM)
        assert stop()


def test_every_so_many_steps():
    schedule = CheckpointSchedule(TrainingConfig(checkpoint_steps=3), lambda: False, step=0)
    assert [schedule.after(step) for step in range(1, 7)] == [(step % 3 == 0, False) for step in range(1, 7)]
    assert not schedule.stop_requested()


def test_after_so_many_seconds():
    now = [0.0]
    schedule, saved = CheckpointSchedule(TrainingConfig(checkpoint_seconds=25), lambda: False, 0, lambda: now[0]), []
    for step in range(1, 8):
        now[0] += 10
        saved.append(schedule.after(step)[0])
    assert saved == [False, False, True, False, False, True, False]


def test_told_to_end():
    told = []
    schedule = CheckpointSchedule(TrainingConfig(), lambda: bool(told), step=4)
    assert schedule.after(5) == (False, False)
    told.append(1)
    assert schedule.after(6) == (True, True)
    assert schedule.stop_requested()


def test_two_workers_ask_each_other_about_once_a_second(monkeypatch):
    """Steps of 0.3 s: questions after steps 1, 4, 7, ...; only then is the other worker's signal known here."""
    now, asked = [0.0], []
    module = "landmark_zoo.training.distributed.preemption"
    monkeypatch.setattr(f"{module}.WorkerInfo.current", lambda: WorkerInfo(2, 0, 2))

    def with_the_other(*values):
        asked.append(step)
        return (values[0] + (step >= 5), *values[1:])
    monkeypatch.setattr(f"{module}.all_reduce_sum", with_the_other)
    schedule, ended = CheckpointSchedule(TrainingConfig(), lambda: False, 0, lambda: now[0]), []
    for step in range(1, 8):
        now[0] += 0.3
        ended.append(schedule.after(step)[1])
    assert asked == [1, 4, 7]
    assert ended == [False] * 6 + [True]
