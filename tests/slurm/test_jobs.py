"""What the job scripts do around the programs they start; the programs themselves are in test_training.py."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

JOBS = ("one_gpu", "one_node", "several_nodes")


@pytest.fixture
def checkout(root, tmp_path):
    """The scripts as they are, and a stand-in for each program that they start."""
    shutil.copytree(root / "experiments" / "slurm", tmp_path / "checkout" / "experiments" / "slurm")
    (tmp_path / "checkout" / "export").mkdir()
    for program in ("experiments/train", "experiments/embed", "experiments/evaluate", "export/savedmodel"):
        shutil.copy(root / "tests" / "slurm" / "stand_in.py", tmp_path / "checkout" / f"{program}.py")
    (tmp_path / "notes").mkdir()
    return tmp_path / "checkout"


@pytest.fixture
def submit(slurm, checkout):
    """submit(script, *words, options=(), **environment) -> number; the log is in checkout/log."""
    def submitted(script, *words, options=(), **environment):
        return slurm.submit("--chdir", checkout, "--output", checkout / "log", "--cpus-per-task=2", *options,
                            checkout / f"experiments/slurm/{script}.sbatch", *words,
                            **{"LANDMARK_ZOO_VENV": sys.prefix, "NOTES": str(checkout.parent / "notes"),
                               "TMPDIR": "/tmp"} | environment)
    return submitted


def notes(checkout):
    """What the tasks noted at their starts, in that order."""
    return [json.loads(path.read_text()) for path in sorted((checkout.parent / "notes").glob("*.json"))]


def until(reached, seconds=60):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("script", ["job.sh", "site.sh", *(f"{name}.sbatch" for name in (
    *JOBS, "embed_array", "evaluate_after", "selftest"))])
def test_clean(root, script):
    path = f"experiments/slurm/{script}"
    subprocess.run(["bash", "-n", path], cwd=root, check=True)
    if not shutil.which("shellcheck"):
        pytest.skip("no shellcheck")
    subprocess.run(["shellcheck", "-x", path], cwd=root, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("script", JOBS)
def test_words_and_environment_reach_every_task(slurm, submit, checkout, script):
    number = submit(script, "--name=two words", "--glob=*", "exit=0", LANDMARK_ZOO_SCRATCH=str(checkout / "scratch"),
                    http_proxy="http://proxy:3128")
    assert slurm.wait(number)["JobState"] == "COMPLETED"
    found = notes(checkout)
    places = [("0", "node1"), ("1", "node2")] if script == "several_nodes" else [("0", "node1")]
    assert sorted((note["rank"], note["node"]) for note in found) == places
    for note in found:
        assert note["words"] == ["--distribution=auto", "--name=two words", "--glob=*", "exit=0"]
        assert (note["cpus"], note["scratch"], note["proxy"]) == ("2", str(checkout / "scratch"), None)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["one_gpu", "several_nodes"])
def test_a_signal_saves_and_the_job_goes_on_under_its_number(slurm, submit, checkout, script):
    """The second task leaves two seconds before the first has saved, and must not take it with it."""
    number = submit(script, "until_signal")
    until(lambda: len(notes(checkout)) == (2 if script == "several_nodes" else 1))
    slurm.run("scancel", "--signal=USR1", number)
    job = slurm.wait(number)
    assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1")
    assert (checkout.parent / "notes" / "saved").read_text() == "SIGUSR1"
    log = (checkout / "log").read_text()
    assert "Exited with exit code 42" in log
    assert "went on and finished" in log, "the log is continued"


@pytest.mark.slow
def test_before_the_time_limit_every_task_is_signalled(slurm, submit, checkout):
    job = slurm.wait(submit("several_nodes", "until_signal", options=["--time=1", "--signal=USR1@45"]))
    assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1")
    assert (checkout.parent / "notes" / "saved").read_text() == "SIGUSR1"


@pytest.mark.slow
def test_cancelled_it_saves_and_stays_cancelled(slurm, submit, checkout):
    number = submit("several_nodes", "until_signal")
    until(lambda: len(notes(checkout)) == 2)
    slurm.run("scancel", number)
    assert slurm.wait(number)["JobState"] == "CANCELLED"
    until((checkout.parent / "notes" / "saved").exists)
    time.sleep(3)
    job = slurm.job(number)
    assert (job["JobState"], job["Restarts"], len(notes(checkout))) == ("CANCELLED", "0", 2)


@pytest.mark.slow
@pytest.mark.parametrize(("deed", "code"), [("exit=2", "2:0"), ("exit=1", "1:0")])
def test_failures_are_not_repeated(slurm, submit, checkout, deed, code):
    job = slurm.wait(submit("several_nodes", deed))
    assert (job["JobState"], job["ExitCode"], job["Restarts"]) == ("FAILED", code, "0")


@pytest.mark.slow
def test_a_killed_task_ends_the_others(slurm, submit, checkout):
    number = submit("several_nodes", "until_killed")
    until(lambda: len(notes(checkout)) == 2)
    killed = time.monotonic()
    second, = (note["pid"] for note in notes(checkout) if note["rank"] == "1")
    os.kill(second, signal.SIGKILL)
    job = slurm.wait(number)
    assert (job["JobState"], job["ExitCode"]) == ("FAILED", "137:0")
    assert time.monotonic() - killed < 60


@pytest.mark.slow
@pytest.mark.parametrize(("environment", "said"), [
    ({"LANDMARK_ZOO_VENV": "absent"}, "a virtual environment at absent; received none. Make it with `make setup`"),
    ({"LANDMARK_ZOO_CONTAINER": "absent.sif"}, "a container at absent.sif; received none. Build it with: apptainer build"),
    ({"LANDMARK_ZOO_MODULES": "absent"}, "the command module for LANDMARK_ZOO_MODULES; received none. Unset it")])
def test_wrong_settings_end_in_one_line(slurm, submit, checkout, environment, said):
    job = slurm.wait(submit("one_gpu", "exit=0", **environment))
    assert job["ExitCode"] == "2:0"
    line, = (checkout / "log").read_text().splitlines()
    assert line.startswith(f"Error: Expected {said}")


@pytest.mark.slow
def test_submitted_elsewhere(slurm, submit, checkout, tmp_path):
    job = slurm.wait(submit("one_gpu", "exit=0", options=["--chdir", tmp_path]))
    assert job["ExitCode"] == "2:0"
    assert "Expected sbatch to be called in the folder of README.md" in (checkout / "log").read_text()


@pytest.mark.slow
def test_the_container_is_entered_by_every_task(slurm, submit, checkout, tmp_path):
    """A stand-in for apptainer notes its words and starts what follows the container."""
    (checkout / "zoo.sif").touch()
    (tmp_path / "apptainer").write_text('#!/bin/sh\necho "$@" > "$NOTES/apptainer$SLURM_PROCID"\n'
                                        'while [ "$1" != zoo.sif ]; do shift; done\nshift\nexec "$@"\n')
    (tmp_path / "apptainer").chmod(0o755)
    number = submit("several_nodes", "exit=0", LANDMARK_ZOO_CONTAINER="zoo.sif", LANDMARK_ZOO_BINDS="/data",
                    PATH=f"{tmp_path}:{sys.prefix}/bin:{os.environ['PATH']}")
    assert slurm.wait(number)["JobState"] == "COMPLETED"
    for rank in "01":
        words = (tmp_path / "notes" / f"apptainer{rank}").read_text()
        assert words.startswith(f"exec --nv --bind {checkout},/tmp,/data --pwd {checkout} zoo.sif python -m ")


@pytest.mark.slow
def test_every_element_of_an_array_knows_its_part(slurm, submit, checkout):
    array = submit("embed_array", "--output=index", "exit=0", options=["--array=0-2"])
    after = submit("evaluate_after", "run", "exit=0", options=[f"--dependency=afterok:{array}"])
    slurm.wait(after)
    words = [note["words"] for note in notes(checkout) if "--output=index" in note["words"]]
    assert sorted(words) == [["--num_shards=3", f"--shard={shard}", "--output=index", "exit=0"] for shard in range(3)]


@pytest.mark.slow
def test_part_of_an_array(slurm, submit, checkout):
    slurm.wait(submit("embed_array", "exit=0", options=["--array=1-2"]))
    assert "Expected --array=0-N; received 2 elements from 1 to 2." in (checkout / "log").read_text()
    assert not notes(checkout)


@pytest.mark.slow
def test_evaluation_waits_for_training(slurm, submit, checkout):
    training = submit("one_gpu", "until_signal")
    evaluation = submit("evaluate_after", "run 1", "--benchmark=wonders", "exit=0",
                        options=[f"--dependency=afterok:{training}"])
    until(lambda: notes(checkout))
    slurm.run("scancel", "--signal=USR1", training)
    slurm.wait(training, "PENDING")
    assert slurm.job(evaluation)["JobState"] == "PENDING", "a requeued job is not yet done"
    assert slurm.wait(evaluation)["JobState"] == "COMPLETED"
    words = [note["words"] for note in notes(checkout)]
    assert words[2:] == [["--workdir=run 1", "--output=run 1/savedmodel"], [
        "--savedmodel=run 1/savedmodel", "--output=run 1/results", "--benchmark=wonders", "exit=0"]]


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--benchmark=wonders"]])
def test_evaluation_without_a_workdir(slurm, submit, checkout, words):
    assert slurm.wait(submit("evaluate_after", *words))["ExitCode"] == "2:0"
    assert "Expected the workdir as first argument" in (checkout / "log").read_text()
