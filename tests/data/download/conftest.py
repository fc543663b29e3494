"""A failing server, and a retry policy with short pauses."""

import pytest

from landmark_zoo.data.download.http import HttpSession, RetryPolicy
from tests.data.download.fault_server import FaultServer


@pytest.fixture
def serve():
    """serve({"/path": bytes}) -> a running FaultServer."""
    running = []

    def start(files):
        running.append(FaultServer(files).__enter__())
        return running[-1]
    yield start
    for server in running:
        server.__exit__()


@pytest.fixture
def hasty():
    """Short pauses and time-outs."""
    return RetryPolicy(attempts=3, first_delay=0.01, max_delay=0.02, timeout=0.5, min_speed=1000)


@pytest.fixture
def session(hasty):
    """Connections with short pauses and time-outs."""
    return HttpSession(hasty)
