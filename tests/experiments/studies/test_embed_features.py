import numpy as np
import pytest
import tensorflow as tf

from experiments.studies.embed_features import embed_features
from experiments.studies.picture_features import PictureFeatures
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.models.on_features import on_features


@pytest.fixture(scope="module")
def from_features():
    tf.keras.utils.set_random_seed(0)
    return on_features(ModelConfig("resnet18_se", embedding_dim=8, alpha=0.25).build())[1]


def test_maps_of_many_sizes_are_embedded_as_one_by_one(from_features):
    random = np.random.default_rng(0)
    sizes = [(2, 3), (3, 2), (1, 4), *[(2, 3)] * 70, (1, 1)]
    maps = [random.uniform(size=(height, width, 128)).astype(np.float16) for height, width in sizes]
    ids = [f"p{number}" for number in range(len(maps))]
    pictures = PictureFeatures(ids, np.array(sizes), np.concatenate([part.reshape(-1, 128) for part in maps]),
                               {"photographs_sha256": "ab", "photographs": 75, "skipped": 1})
    embeddings = embed_features(from_features, pictures, "f" * 64, {"name": "toy"})
    one_by_one = np.concatenate([from_features(part[np.newaxis].astype(np.float32))["embedding"] for part in maps])
    np.testing.assert_allclose(embeddings.vectors, one_by_one, atol=1e-5)
    assert list(embeddings.ids) == ids
    assert embeddings.provenance["model"] == {"name": "toy"}
    assert embeddings.provenance["skipped"] == 1
