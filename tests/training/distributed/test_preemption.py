import signal

import pytest

from landmark_zoo.training.distributed.preemption import PreemptionHandler


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
