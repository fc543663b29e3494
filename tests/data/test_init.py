import subprocess
import sys

import pytest

from landmark_zoo import data


@pytest.mark.parametrize("name", data.__all__)
def test_exports_exist_and_are_documented(name):
    assert getattr(data, name).__doc__
    assert name in dir(data)


def test_import_needs_no_tensorflow(root):
    code = ("import sys; import landmark_zoo.data as data; data.ImageList, data.ImageRef, data.read_images, data.LabelMap; "
            "sys.exit('tensorflow' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=root, timeout=60).returncode == 0
