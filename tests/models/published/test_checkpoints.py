"""The table of published checkpoints: every row can be built, names a protocol that there is, and says what is forbidden."""

import re

import pytest

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.data.protocol import PUBLISHED
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.models.published.name_maps import NAME_MAPS
from landmark_zoo.models.registry import MODELS


def test_the_projects():
    count = {}
    for name in CHECKPOINTS:
        count[name.split("/")[0]] = count.get(name.split("/")[0], 0) + 1
    assert count == {"cirtorch": 12, "solar": 1, "how": 2, "naver": 5, "cvnet": 2, "superglobal": 2, "delg-pytorch": 2,
                     "cosplace": 26, "eigenplaces": 12, "torchvision": 9, "timm": 6, "dinov2": 4,
                     "megaloc": 1, "salad": 1, "cbam": 1, "senet": 1, "ecanet": 3}


@pytest.mark.parametrize("project", sorted({name.split("/")[0] for name in CHECKPOINTS}))
def test_rows_are_complete(project):
    for name in CHECKPOINTS.list(f"{project}/*"):
        row = CHECKPOINTS[name]
        assert row.name == name == name.lower()
        assert name in MODELS
        assert row.project in NAME_MAPS, name
        assert row.network in ("backbone", "composed", "global", "solar", "how"), name
        assert (row.protocol is None) == (row.network == "backbone" or "attention" in row.arguments), name
        assert row.protocol is None or row.protocol in PUBLISHED, name
        assert BACKBONES[row.backbone].torch_names is not None, name
        assert row.address.startswith(("http://", "https://")), name
        assert all((row.source, row.license, row.weights_license)), name


def test_a_hash_in_the_name_of_a_file_is_its_sha256_only_where_authors_say_so():
    for row in CHECKPOINTS.values():
        assert row.sha256 is None or (re.fullmatch("[0-9a-f]{8}", row.sha256) and row.file.endswith(f"{row.sha256}.pth"))
    known = {row.name.split("/")[0] for row in CHECKPOINTS.values() if row.sha256}
    assert known == {"torchvision", "timm"}


def test_where_no_license_is_stated_or_it_is_the_gpl_the_row_is_restricted():
    for row in CHECKPOINTS.values():
        assert row.restricted == ("none stated" in row.license_words or row.license.startswith("GPL"))


def test_scores_are_those_of_the_readme():
    assert CHECKPOINTS["cirtorch/gl18-resnet101-gem-w"].score == (
        "mAP of revisited Oxford / Paris: medium 67.3 / 80.6, hard 44.3 / 61.5")
    assert CHECKPOINTS["how/r50-"].score.endswith("medium 79.4 / 81.6")
