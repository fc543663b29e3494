import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.hostlist import expand_hostlist, slurm_hosts


@pytest.mark.parametrize(("text", "hosts"), [
    ("login", ["login"]),
    ("node[1-3]", ["node1", "node2", "node3"]),
    ("node[9-10]", ["node9", "node10"]),
    ("gpu[08-10,12]", ["gpu08", "gpu09", "gpu10", "gpu12"]),
    ("b2,a[1,3]-ib,c", ["b2", "a1-ib", "a3-ib", "c"]),
    ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
    ("n[099-101].cluster", ["n099.cluster", "n100.cluster", "n101.cluster"])])
def test_slurms_order_is_kept(text, hosts):
    assert expand_hostlist(text) == hosts


@given(st.lists(st.from_regex(r"[a-z]+[0-9]{0,3}(-ib)?", fullmatch=True), min_size=1, max_size=5))
def test_plain_names_are_themselves(names):
    assert expand_hostlist(",".join(names)) == names


@given(st.integers(0, 300), st.integers(0, 40), st.integers(1, 4))
def test_ranges(first, more, width):
    text = f"n[{first:0{width}d}-{first + more:0{width}d}]"
    assert expand_hostlist(text) == [f"n{number:0{len(f'{first:0{width}d}')}d}" for number in range(first, first + more + 1)]


@pytest.mark.parametrize("text", ["", ",", "node[1-", "node1-2]", "node[2-1]", "node[a-b]", "node[]", "a,,b", "a b",
                                  "n[[1]]"])
def test_not_a_list(text):
    with pytest.raises(UserError, match="a list of hosts"):
        expand_hostlist(text)


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    def put(script):
        path = tmp_path / "scontrol"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return put


def test_scontrol_has_the_first_word(scontrol):
    scontrol('[ "$1 $2 $3" = "show hostnames node[1-2]" ] && printf "node1.site\\nnode2.site\\n"')
    assert slurm_hosts("node[1-2]") == ["node1.site", "node2.site"]


def test_without_a_working_scontrol(scontrol, monkeypatch):
    scontrol("exit 1")
    assert slurm_hosts("node[1-2]") == ["node1", "node2"]
    monkeypatch.setenv("PATH", "")
    assert slurm_hosts("node[1-2]") == ["node1", "node2"]
