"""A failing server for whole collections."""

from tests.data.download.conftest import serve

__all__ = ["serve"]
