"""Joining what is not there; the rest is in test_embed_at_scale.py."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.retrieval.at_scale.join_shards import join_shards


def test_a_folder_without_shards(tmp_path):
    with pytest.raises(UserError, match=r"a JSON file at .*maker.json"):
        join_shards(tmp_path)
    write_json(tmp_path / "shards/maker.json", {"shard_size": 4})
    with pytest.raises(UserError, match=r"a list of pictures in .*shards; received none"):
        join_shards(tmp_path)
