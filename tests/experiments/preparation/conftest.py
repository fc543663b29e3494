"""A failing server for whole collections."""

import pytest

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
