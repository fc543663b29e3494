"""The self-test as a job: what its script does around the parts, and a whole one on two nodes without cards."""

import shutil
import sys

import pytest

from landmark_zoo.core.files import read_json

STAND_IN = '''"""Notes its flags; "plan" names three parts, of which one fails and one ends as if it had saved."""
import os, pathlib, sys
given = dict(word[2:].split("=", 1) for word in sys.argv[1:])
folder, part = pathlib.Path(given["output"]), given["part"]
folder.mkdir(exist_ok=True)
(folder / f"{part}-{os.environ['SLURM_PROCID']}").write_text(os.environ["SLURMD_NODENAME"] + " " + given.get("nodes", ""))
if part == "plan":
    (folder / "parts.txt").write_text("failing 1 2\\nsaving 2 2\\ngood 2 2\\n")
sys.exit({"plan": int(os.environ["PLAN_ENDS"]), "failing": 3, "saving": 42, "report": 1}.get(part, 0))
'''


@pytest.fixture
def submit(slurm, root, tmp_path):
    """submit(plan_ends) -> number of a job of stand-ins; the log is tmp_path/log, the folder tmp_path/selftest."""
    shutil.copytree(root / "experiments" / "slurm", tmp_path / "checkout" / "experiments" / "slurm")
    (tmp_path / "checkout" / "experiments" / "selftest.py").write_text(STAND_IN)

    def submitted(plan_ends):
        return slurm.submit("--chdir", tmp_path / "checkout", "--output", tmp_path / "log", "--cpus-per-task=1",
                            tmp_path / "checkout/experiments/slurm/selftest.sbatch", tmp_path / "selftest",
                            LANDMARK_ZOO_VENV=sys.prefix, PLAN_ENDS=plan_ends)
    return submitted


@pytest.mark.slow
def test_every_part_runs_whatever_the_others_do(slurm, submit, tmp_path):
    job = slurm.wait(submit("0"))
    assert (job["JobState"], job["ExitCode"], job["Restarts"]) == ("FAILED", "1:0", "0"), (tmp_path / "log").read_text()
    found = {path.name: path.read_text() for path in (tmp_path / "selftest").iterdir()}
    ends = [line.split() for line in found.pop("codes.txt").splitlines()]
    assert [end[:2] for end in ends] == [["failing", "3"], ["saving", "42"], ["good", "0"]]
    assert all(0 <= int(seconds) < 60 for *_, seconds in ends)
    assert found.pop("parts.txt")
    assert found == {"plan-0": "node1 2", "failing-0": "node1 ", "saving-0": "node1 ", "saving-1": "node2 ",
                     "good-0": "node1 ", "good-1": "node2 ", "report-0": "node1 "}


@pytest.mark.slow
def test_without_a_plan_nothing_runs(slurm, submit, tmp_path):
    job = slurm.wait(submit("2"))
    assert (job["JobState"], job["ExitCode"]) == ("FAILED", "2:0")
    assert sorted(path.name for path in (tmp_path / "selftest").iterdir()) == ["parts.txt", "plan-0"]


@pytest.mark.slow
def test_two_nodes_without_cards(slurm, root, tmp_path):
    number = slurm.submit("--chdir", root, "--output", tmp_path / "log", "--cpus-per-task=1", "--gpus-per-node=0",
                          root / "experiments/slurm/selftest.sbatch", tmp_path / "selftest", LANDMARK_ZOO_VENV=sys.prefix)
    job = slurm.wait(number)
    log = (tmp_path / "log").read_text()
    assert (job["JobState"], job["ExitCode"]) == ("COMPLETED", "0:0"), log
    lines = log[log.index("== Report"):].splitlines()
    assert all(line.startswith("ok ") for line in lines[1:-2])
    assert "saved at step" in log
    found = read_json(tmp_path / "selftest" / "selftest.json")
    assert found["ok"]
    assert len(found["machines"]) == 2
    assert found["ends"]["interrupted"][0] == 42
    assert not {"node1", "node2"} & set(str(found).replace("'", " ").split())
