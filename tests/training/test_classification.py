"""The objective."""

import numpy as np

from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from landmark_zoo.models import build_model
from landmark_zoo.training.classification import Classification


def test_loss_has_the_margin_and_accuracy_has_not():
    model = build_model("mobilenet", alpha=0.25, embedding_dim=8, num_classes=3, head_arguments={"margin": 0.5})
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    logits = model(images)["logits"]
    best = np.argmax(logits, axis=1)
    objective = Classification(model, model.get_layer("arcface"))
    plain, correct = objective(images, best.astype(np.int32), training=False)
    assert correct.numpy().all()
    np.testing.assert_allclose(plain, softmax_cross_entropy(best, logits), rtol=1e-5)
    trained, _ = objective(images, best.astype(np.int32), training=True)
    assert trained.shape == plain.shape
    assert trained.numpy().mean() > plain.numpy().mean()
