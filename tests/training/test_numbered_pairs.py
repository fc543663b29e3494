"""Given pairs as record numbers."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.record_ids import read_record_ids
from landmark_zoo.training.numbered_pairs import numbered_pairs


def test_pairs_of_the_records(records, tmp_path):
    manifest = read_manifest(records / "train")
    ids = read_record_ids(manifest)
    write_csv(tmp_path / "pairs.csv", ["query", "positive"], [(ids[5], ids[2]), (ids[0], "lost"), (ids[7], ids[40])])
    np.testing.assert_array_equal(numbered_pairs(manifest, tmp_path / "pairs.csv"), [[5, 2], [7, 40]])


def test_none_of_them(records, tmp_path):
    write_csv(tmp_path / "pairs.csv", ["query", "positive"], [("lost", "gone")])
    with pytest.raises(UserError, match=r"pairs of pictures of .*train in .*pairs.csv; received none among 1\."):
        numbered_pairs(read_manifest(records / "train"), tmp_path / "pairs.csv")
