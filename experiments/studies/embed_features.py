"""Feature maps to embeddings."""

import numpy as np
import tensorflow as tf

from experiments.studies.picture_features import PictureFeatures
from landmark_zoo.core.provenance import versions
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

BATCH = 64


def embed_features(from_features: tf.keras.Model, pictures: PictureFeatures, fingerprint: str,
                   info: dict[str, object]) -> EmbeddingSet:
    """Returns the embeddings that the whole model would give, up to the rounding of the maps to float16.

    Args:
        from_features: Feature maps [B, h, w, C] to a dict with "embedding" [B, D].
        pictures: N feature maps; those of one size go through together.
        fingerprint: Of the whole model's weights.
        info: What the model says of itself, as an exported one does.
    """
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, pictures.features.shape[-1]])])
    def call(maps):
        return from_features(maps, training=False)["embedding"]

    ends = np.cumsum(pictures.sizes.prod(axis=1))
    vectors = np.zeros((len(pictures.ids), from_features.output_shape["embedding"][-1]), np.float32)
    for height, width in np.unique(pictures.sizes, axis=0):
        rows = np.flatnonzero((pictures.sizes == (height, width)).all(axis=1))
        for part in np.array_split(rows, -(-len(rows) // BATCH)):
            maps = [pictures.features[ends[row] - height * width:ends[row]].reshape(height, width, -1) for row in part]
            vectors[part] = call(tf.constant(np.stack(maps), tf.float32)).numpy()
    provenance = {"photographs_sha256": pictures.facts["photographs_sha256"], "apply_exif": True, "cropped": 0,
                  "photographs": pictures.facts["photographs"], "skipped": pictures.facts["skipped"], "model": info,
                  "versions": versions()}
    return EmbeddingSet(pictures.ids, vectors, fingerprint, provenance)
