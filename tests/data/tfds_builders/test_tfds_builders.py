import subprocess
import sys

import tensorflow_datasets as tfds

from landmark_zoo.data.tfds_builders import BUILDERS


def test_tfds_knows_them():
    assert set(BUILDERS) == {"gldv2", "gldv1", "oxford5k", "paris6k", "roxford5k", "rparis6k", "revisitop1m", "sfm120k",
                             "landmark_folder", "synthetic"}
    assert set(BUILDERS) <= set(tfds.list_builders())
    assert all(tfds.builder_cls(name) is builder for name, builder in BUILDERS.items())


def test_without_beam(root):
    code = "import sys; sys.modules['apache_beam'] = None; import landmark_zoo.data.tfds_builders"
    failed = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)
    assert "UserError: Expected tensorflow-datasets and apache-beam" in failed.stderr
