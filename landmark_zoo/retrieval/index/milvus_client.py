"""The connection to Milvus, and its errors in our words."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from landmark_zoo.core.errors import UserError

if TYPE_CHECKING:
    from pymilvus import MilvusClient

CONNECT_SECONDS = 15


def is_milvus_uri(text: str) -> bool:
    """Returns whether `text` names Milvus: `http://host:19530`, or a path that ends in `.db` for Milvus Lite."""
    return "://" in text or text.endswith(".db")


def connect_milvus(uri: str, create: bool = False) -> "MilvusClient":
    """Returns a client.

    Args:
        uri: `http://host:19530` of a server (with the token in $MILVUS_TOKEN where it wants one), or a path that ends in
            `.db`: Milvus Lite, which runs inside this process and lets no other process at its files.
        create: Make the files of Milvus Lite where there are none.

    Raises:
        UserError: Not such a URI, no server there, no such file, files in use, or no pymilvus.
    """
    if not is_milvus_uri(uri):
        raise UserError("a URI such as http://host:19530, or a path that ends in .db", uri, "Check the URI.")
    if "://" not in uri:
        if not create and not os.path.exists(uri):
            raise UserError(f"Milvus Lite's files at {uri}", "no such file", "Check the path, or build an index there.")
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
    try:
        from pymilvus import MilvusClient
        if "://" not in uri:
            import milvus_lite  # noqa: F401
    except ImportError as error:
        raise UserError("the packages pymilvus and milvus-lite", str(error),
                        'Install them: pip install --constraint constraints.txt -e ".[milvus]".') from error
    for name in ("pymilvus", "milvus_lite", "grpc._server"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what they log they also raise
    with milvus_errors(uri):
        return MilvusClient(uri, token=os.environ.get("MILVUS_TOKEN", ""), timeout=CONNECT_SECONDS)


@contextlib.contextmanager
def milvus_errors(uri: str) -> Iterator[None]:
    """Turns an error of Milvus within the block into a `UserError` that names `uri`."""
    from pymilvus import MilvusException
    try:
        yield
    except MilvusException as error:
        remedy = "Check the URI and that the server runs." if "://" in uri else \
            "Check the path and that no other process has it open."
        raise UserError(f"Milvus at {uri} to do its work", error.message or str(error), remedy) from error
