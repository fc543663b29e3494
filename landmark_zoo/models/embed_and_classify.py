"""How the classification networks end: the vectors of their last layer to embedding and logits."""

import tensorflow as tf

from landmark_zoo.layers.embedding import EmbeddingLayer
from landmark_zoo.layers.heads import HEADS
from landmark_zoo.layers.l2_normalise import L2Normalise


def embed_and_classify(vectors: tf.Tensor, num_classes: int | None, embedding_dim: int | None = None,
                       head: str = "softmax", head_arguments: dict | None = None) -> dict[str, tf.Tensor]:
    """Gives a network built as a classifier the outputs that retrieval needs.

    Without an embedding layer the head stands on the vectors as they are, as in the papers' classifiers, and the embedding
    is the same vectors at length 1. With one the head stands on the embedding, as in `models.build_model`.

    Args:
        vectors: [B, C].
        num_classes: N; None builds no head.
        embedding_dim: D of the embedding layer; None leaves it out.
        head: A name of `HEADS`.
        head_arguments: For the head's constructor.

    Returns:
        "embedding" float32 [B, D or C] of length 1 and, with a head, "logits" float32 [B, N].
    """
    if embedding_dim is None:
        outputs = {"embedding": L2Normalise(name="embedding")(vectors)}
    else:
        vectors = EmbeddingLayer(embedding_dim, name="embedding")(vectors)
        outputs = {"embedding": vectors}
    if num_classes is not None:
        outputs["logits"] = HEADS[head](num_classes, name=head, **(head_arguments or {}))(vectors)
    return outputs
