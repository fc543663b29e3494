"""Time and size of members."""

import runpy

import numpy as np
from PIL import Image

from experiments.ensembles.member_costs import megabytes, milliseconds
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel


def test_one_time_per_model_and_bad_pictures_do_not_stop_it(root, tmp_path):
    write = runpy.run_path(str(root / "tests/retrieval/tiny_saved_model.py"))["write_tiny_saved_model"]
    models = [EmbeddingModel(write(tmp_path / name / "1")) for name in ("a", "b")]
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(tmp_path / "good.png")
    pictures = [Picture("bad", tmp_path / "absent.jpg"), Picture("good", tmp_path / "good.png")]
    assert all(0 < time < 5000 for time in milliseconds(models, pictures, apply_exif=True))
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "below" / "file").write_bytes(bytes(2_000_000))
    assert megabytes(tmp_path / "folder") == 2
