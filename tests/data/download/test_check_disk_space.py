from collections import namedtuple

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.download.check_disk_space import check_disk_space
from landmark_zoo.data.download.needed import Needed
from landmark_zoo.data.download.remote_file import RemoteFile

GB = 10**9
WANTED = [Needed(RemoteFile("http://x/a.csv", "a.csv", 1), 3 * GB, GB, True),
          *(Needed(RemoteFile(f"http://x/{n}.tar", f"{n}.tar", 1, unpack_to="x"), n * GB, 0, True) for n in (1, 5, 2))]


def test_archives_need_room_twice_as_far_as_they_are_worked_on_together(tmp_path, monkeypatch):
    free = namedtuple("free", "total used free")
    path = "landmark_zoo.data.download.check_disk_space.shutil.disk_usage"
    monkeypatch.setattr(path, lambda folder: free(0, 0, 17 * GB))
    assert check_disk_space(WANTED, tmp_path / "not" / "yet", 2) == (2 + 8 + 7) * GB
    monkeypatch.setattr(path, lambda folder: free(0, 0, 17 * GB - 1))
    with pytest.raises(UserError, match=r"17\.0 GB of free space .* --data_dir"):
        check_disk_space(WANTED, tmp_path / "not" / "yet", 2)
    assert check_disk_space(WANTED, tmp_path, 1) == 15 * GB
