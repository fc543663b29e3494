"""A failing server, and patience that fits a test."""

import pytest

from landmark_zoo.data.download.patience import Patience
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
    return Patience(attempts=3, first_delay=0.01, longest_delay=0.02, timeout=0.5, least_speed=1000)
