"""The self-test on this machine: its mistakes, and whole ones of two processes."""

import getpass
import json
import shutil
import socket
import subprocess
import sys

import pytest

from landmark_zoo.core.files import read_json
from tests.run_script import run_script


@pytest.mark.parametrize(("values", "said"), [
    ({"nodes": 0}, "--nodes"), ({"part": "one", "output": "{absent}"}, "plan.json"), ({"part": "all_nodes"}, "--part"),
    ({"part": "plan", "output": "{strange}"}, "an earlier self-test, at")])
def test_mistakes(tmp_path, values, said):
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "thesis.tex").touch()
    places = {name: str(tmp_path / name) for name in ("absent", "strange")}
    done = run_script("experiments.selftest", **{name: str(value).format(**places) for name, value in values.items()})
    assert done.code == 2
    assert done.stderr.count("Error:") == 1
    assert said in done.stderr
    assert (tmp_path / "strange" / "thesis.tex").exists()


@pytest.mark.parametrize("plan", [None, "", "[]", '{"nodes": 2}'])
def test_a_report_of_nothing_is_a_line(tmp_path, plan):
    if plan is not None:
        (tmp_path / "plan.json").write_text(plan)
    done = run_script("experiments.selftest", part="report", output=tmp_path)
    assert done.code == 1
    assert "NOT OK plan: Expected a whole plan.json; received none, or a damaged one." in done.stdout
    assert "1 of 1 checks are NOT OK" in done.stdout
    assert read_json(tmp_path / "selftest.json")["ok"] is False


@pytest.fixture(scope="module")
def tested(root, tmp_path_factory):
    """The folder of a whole self-test, and what it printed."""
    folder = tmp_path_factory.mktemp("tested") / "selftest"
    done = subprocess.run([sys.executable, "-m", "experiments.selftest", f"--output={folder}"], cwd=root,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture
def copied(tested, tmp_path):
    shutil.copytree(tested[0], tmp_path / "selftest")
    return tmp_path / "selftest"


def report(folder):
    """Exit code and failed lines of the report of a folder."""
    done = run_script("experiments.selftest", part="report", output=folder)
    assert "Traceback" not in done.stderr
    return done.code, [line for line in done.stdout.splitlines() if line.startswith("NOT OK")]


@pytest.mark.slow
@pytest.mark.nightly
def test_two_processes_of_this_machine(tested):
    folder, said = tested
    lines = said[said.index("== Report"):].splitlines()
    assert lines[1] == f"ok     parts: 8 of 8 ended as they should, in {lines[1].split()[-2]} s"
    assert lines[-1] == f"All {len(lines) - 3} checks are ok: {folder}/selftest.json"
    found = read_json(folder / "selftest.json")
    assert found["ok"]
    assert found["facts"]["all_reduce"]["sums"] == [3.0, 3.0]
    assert 0 < found["facts"]["interrupted"]["saved_at"] < 12
    assert found["facts"]["nodes"]["replicas"] == 2
    assert found["differences"]["nodes"] < 1e-3
    assert found["runs"]["resumed"]["steps"] == list(range(1, 13))
    text = json.dumps(found)
    assert not [name for name in (str(folder), socket.gethostname(), f"/{getpass.getuser()}/") if name in text]


@pytest.mark.slow
@pytest.mark.nightly
def test_a_wrong_state_is_reported(copied):
    history = copied / "runs" / "nodes" / "history.jsonl"
    rows = [json.loads(line) for line in history.read_text().splitlines()]
    rows[6]["loss"] *= 1.01
    history.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, lines = report(copied)
    assert code == 1
    assert len(lines) == 2, "several nodes are compared with one replica, and the resumed run with them"
    assert all("at step 7 in run" in line for line in lines)


@pytest.mark.slow
@pytest.mark.nightly
def test_other_weights_are_reported(copied):
    shutil.rmtree(copied / "runs" / "nodes" / "checkpoints")
    assert "Expected whole checkpoints of runs nodes and one" in report(copied)[1][0]
    shutil.copytree(copied / "runs" / "mixed" / "checkpoints", copied / "runs" / "nodes" / "checkpoints")
    code, lines = report(copied)
    assert code == 1
    assert "Expected weights in run nodes as in run one, within 1% of the way from the initial ones" in lines[0]
