import subprocess
import sys

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.index import milvus_client
from landmark_zoo.retrieval.index.milvus_client import connect_milvus, is_milvus_uri

HOLD = """
import sys
from landmark_zoo.retrieval.index.milvus_client import connect_milvus
connect_milvus(sys.argv[1], create=True)
print("open", flush=True)
sys.stdin.read()
"""


def test_uris():
    assert is_milvus_uri("http://host:19530")
    assert is_milvus_uri("runs/index.db")
    assert not is_milvus_uri("runs/index")


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"ends in \.db; received runs/index"):
        connect_milvus("runs/index")
    with pytest.raises(UserError, match="no such file"):
        connect_milvus(str(tmp_path / "absent.db"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text.db").write_text("no database")
    with pytest.raises(UserError, match="Check the path"):
        connect_milvus(str(tmp_path / "text.db"))


def test_a_server_that_does_not_answer_is_one_line(monkeypatch):
    monkeypatch.setattr(milvus_client, "CONNECT_SECONDS", 1)
    with pytest.raises(UserError, match="Check the URI and that the server runs"):
        connect_milvus("http://127.0.0.1:1")


def test_without_the_packages_the_error_says_what_to_install(monkeypatch, tmp_path):
    for package in ("pymilvus", "milvus_lite"):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(UserError, match=r"Install them: pip install .*\[milvus\]"):
            connect_milvus(str(tmp_path / "new.db"), create=True)


def test_files_that_another_process_has_open_are_refused(root, tmp_path):
    uri = str(tmp_path / "held.db")
    holder = subprocess.Popen([sys.executable, "-c", HOLD, uri], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(UserError, match="no other process has it open"):
            connect_milvus(uri)
    finally:
        holder.communicate()
