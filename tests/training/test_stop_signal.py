import os
import signal

import pytest

from landmark_zoo.training.stop_signal import StopSignal


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_remembers_and_gives_the_handlers_back(number):
    before = signal.getsignal(number)
    with StopSignal() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert stop.received == number
    assert signal.getsignal(number) == before


def test_takes_the_signal_back_from_somebody_else():
    with StopSignal() as stop:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.listen()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
