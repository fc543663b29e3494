"""The plain cosine head."""

import numpy as np
import pytest

from landmark_zoo.layers.heads import CosineHead


def test_scaled_cosines():
    random = np.random.default_rng(0)
    embeddings = random.standard_normal((3, 4)).astype(np.float32)
    head = CosineHead(6, scale=10.0)
    logits = head(embeddings).numpy()
    for row, embedding in enumerate(embeddings):
        for column, weight in enumerate(head.kernel.numpy().T):
            cosine = embedding @ weight / np.linalg.norm(embedding) / np.linalg.norm(weight)
            np.testing.assert_allclose(logits[row, column], 10 * cosine, rtol=1e-4)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="num_classes >= 2 and scale > 0; received num_classes=1"):
        CosineHead(1)
