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
        for column, weight in enumerate(head.kernel.numpy()):
            cosine = embedding @ weight / np.linalg.norm(embedding) / np.linalg.norm(weight)
            np.testing.assert_allclose(logits[row, column], 10 * cosine, rtol=1e-4)


def test_length_of_the_embedding_does_not_matter():
    embeddings = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    head = CosineHead(6)
    np.testing.assert_allclose(head(1000 * embeddings), head(embeddings), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"num_classes": 1}, "CosineHead: expected num_classes >= 2; received 1"),
    ({"num_classes": 5, "scale": 0}, "CosineHead: expected scale > 0; received 0")])
def test_impossible_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CosineHead(**arguments)
