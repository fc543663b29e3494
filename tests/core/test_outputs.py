"""Places to write to."""

import multiprocessing
import os
import tempfile

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.outputs import check_output


@pytest.fixture
def places(tmp_path):
    """Places that cannot be written to, by what is said of them."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    return {"nothing": "", "below the file|not a directory": tmp_path / "file" / "a" / "b", "null": "a\0b",
            "no such file or directory": tmp_path / "gone",
            "too long a name|file name too long": tmp_path / "new" / ("n" * 300),
            "too long": tmp_path / "/".join(["n" * 99] * 50), "no such file or directory|operation not permitted": "/proc/x"}


def test_places_that_cannot_be_written_are_named_before_the_work(places, tmp_path):
    before = sorted(tmp_path.iterdir())
    for said, path in places.items():
        for file in (False, True):
            with pytest.raises(UserError, match=rf"--out=.*; received .*({said})"):
                check_output(path, "out", file=file)
    for name in ("file", "pipe"):
        with pytest.raises(UserError, match="received a "):
            check_output(tmp_path / name)
    for path in (tmp_path, tmp_path / "pipe", "/dev/full"):
        with pytest.raises(UserError, match="received a "):
            check_output(path, file=True)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_only_others_may_write():
    """Root may write anywhere: where tests are root's, a process of nobody's looks."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        looker = multiprocessing.get_context("fork").Process(target=refused_as_nobody, args=(folder,))
        looker.start()
        looker.join()
    assert looker.exitcode == 0


def refused_as_nobody(folder):
    if os.geteuid() == 0:
        os.setuid(65534)
    for file in (False, True):
        with pytest.raises(UserError, match="permission denied"):
            check_output(f"{folder}/new", file=file)


def test_places_that_can_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    below = tmp_path / "a" / "b"
    for path, file in ((tmp_path, False), (below, False), (below, True), (tmp_path / "file", True),
                       (tmp_path / ("n" * 250), True)):
        check_output(path, file=file)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    write_json(tmp_path / ("ä" * 125), 1)
