"""What the embeddings say for the card."""

from types import SimpleNamespace

import numpy as np

from landmark_zoo.evaluation.card_facts import NOT_STATED, card_facts
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

TOY = SimpleNamespace(name="toy", query_ids=("q1", "q2"), index_ids=("a", "b", "c"), ground_truth_sha256="1234")


def embeddings(*ids, **provenance):
    return EmbeddingSet(list(ids), np.eye(len(ids), 4, dtype=np.float32), "f", provenance)


def test_model_pictures_and_counts():
    model = {"name": "resnet101_glam", "side": 352, "scales": [1.0], "resize": "longer side", "training_data": "GLDv2"}
    facts = card_facts(TOY, embeddings("q1", apply_exif=False, photographs_sha256="q"),
                       embeddings("a", "b", apply_exif=False, photographs_sha256="i", model=model), seed=3)
    assert (facts["model_name"], facts["side"], facts["scales"]) == ("resnet101_glam", 352, [1.0])
    assert (facts["query_photographs_sha256"], facts["index_photographs_sha256"]) == ("q", "i")
    assert (facts["queries_missing"], facts["index_images"], facts["index_images_missing"]) == (1, 2, 1)
    assert (facts["exif"], facts["seed"], facts["ground_truth_sha256"]) == ("as stored", 3, "1234")
    assert facts["whitening"] == NOT_STATED


def test_silence_is_said():
    facts = card_facts(TOY, embeddings("q1"), embeddings("a"), seed=0)
    assert (facts["exif"], facts["resize"], facts["model_name"]) == (NOT_STATED,) * 3
    assert facts["versions"]["numpy"] == np.__version__


def test_unlike_turns_are_said():
    facts = card_facts(TOY, embeddings("q1", apply_exif=True), embeddings("a", apply_exif=False), seed=0)
    assert facts["exif"] == "queries turned, index as stored"
