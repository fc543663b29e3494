"""Settings that cannot be."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.at_scale.scale_config import ScaleConfig


@pytest.mark.parametrize(("values", "said"), [
    ({"shard": 1}, "a shard from 0 to 0; received 1"), ({"shard": -1}, "received -1"), ({"num_shards": 0}, "a shard from"),
    ({"dtype": "float64"}, "received float64"), ({"batch_size": 0}, "a batch_size of 1 or more"),
    ({"shard_size": 0}, "a shard_size of 1 or more")])
def test_mistakes(values, said):
    with pytest.raises(UserError, match=said):
        ScaleConfig(**values)
