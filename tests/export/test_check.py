"""`python -m export.check`."""

import sys

import pytest

from tests.tiny_saved_model import write_tiny_saved_model


@pytest.mark.slow
def test_all_signatures_and_another_interpreter(run_export, members):
    done = run_export("check", savedmodel=members[0] / "1", python=sys.executable)
    assert done.code == 0, done.stderr
    for line in ("serving_default", "crop", "local", "side: 64", "5 images embedded without this project's code",
                 "The same with TensorFlow"):
        assert line in done.stdout


@pytest.mark.slow
def test_what_is_not_ours_is_one_line(root, run_export, tmp_path):
    write = write_tiny_saved_model
    done = run_export("check", savedmodel=write(tmp_path / "tiny" / "1"))
    assert done.code == 2
    assert "info() without resize, aggregation, whitening" in done.stderr


@pytest.mark.parametrize(("values", "said"), [({}, "a SavedModel at"), ({"images": "absent.jpg"}, "no file at absent.jpg")])
def test_check_of_nothing(run_export, tmp_path, values, said):
    done = run_export("check", savedmodel=tmp_path, **values)
    assert done.code == 2
    assert said in done.stderr
