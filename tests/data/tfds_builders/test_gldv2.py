from pathlib import Path

import pytest

from landmark_zoo.data.manifest import read_manifest


@pytest.mark.parametrize(("config", "counts"), [("clean", (9, 9)), ("noisy", (11, 9))])
def test_lists(build, gldv2, config, counts):
    builder = build("gldv2", gldv2, config)
    assert read_manifest(Path(builder.data_dir, "train")).class_counts == counts
    assert builder.info.splits["validation"].num_examples == 2
    assert builder.info.full_name == f"gldv2/{config}/1.0.0"


def test_another_size_stands_in_the_name(build, gldv2):
    from landmark_zoo.data.tfds_builders.gldv2 import Gldv2

    builder = build("gldv2", gldv2, Gldv2.builder_configs["clean"].with_max_side(40))
    assert builder.info.full_name == "gldv2/clean-40/1.0.0"
    assert read_manifest(Path(builder.data_dir, "train")).max_side == 40
    assert read_manifest(Path(builder.data_dir, "train")).num_examples == 18
