from pathlib import Path

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.folder import FolderBenchmark
from landmark_zoo.evaluation.protocols import evaluate
from landmark_zoo.evaluation.rankings import rank_embeddings
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_every_image_asks_for_the_others_of_its_landmark(tmp_path):
    put(tmp_path, "tower/a.jpg", "tower/b.jpg", "tower/c.png", "bridge/d.jpg", "bridge/e.jpg", "gate/f.jpg")
    benchmark = FolderBenchmark.read(tmp_path)
    assert sorted(benchmark.query_ids) == ["a", "b", "c", "d", "e"]
    assert sorted(benchmark.index_ids) == ["a", "b", "c", "d", "e", "f"]
    assert benchmark.queries_ignored == 1
    assert (benchmark.positives("a"), benchmark.labelled_ids("a")) == ({"b", "c"}, {"a", "b", "c"})
    assert benchmark.paths["c"].name == "c.png"


def test_the_checksum_is_that_of_images_and_landmarks(tmp_path):
    put(tmp_path / "one", "tower/a.jpg", "tower/b.jpg")
    put(tmp_path / "two", "tower/b.jpg", "tower/a.jpg")
    put(tmp_path / "other", "bridge/a.jpg", "bridge/b.jpg")
    one, two, other = (FolderBenchmark.read(tmp_path / name).ground_truth_sha256 for name in ("one", "two", "other"))
    assert one == two != other


def test_faults(tmp_path):
    with pytest.raises(UserError, match="a folder at"):
        FolderBenchmark.read(tmp_path / "absent")
    put(tmp_path, "tower/a.jpg", "bridge/b.jpg")
    with pytest.raises(UserError, match="a landmark with two photographs"):
        FolderBenchmark.read(tmp_path)


LANDMARKS = {"a": "tower", "b": "tower", "c": "bridge", "d": "bridge", "e": "gate", "f": "tower"}
TOY = FolderBenchmark("toy", dict.fromkeys(LANDMARKS, Path()), LANDMARKS, "1234")


def test_equals_a_naive_loop():
    vectors = np.random.default_rng(0).normal(size=[6, 4]).astype(np.float32)
    embeddings = EmbeddingSet(list(LANDMARKS), vectors / np.linalg.norm(vectors, axis=1, keepdims=True), "f")
    results = evaluate(TOY, rank_embeddings(TOY, embeddings, embeddings), "m")
    scores = embeddings.vectors @ embeddings.vectors.T
    expected = {}
    for row, query in enumerate("abcdef"):
        others = [image for image in np.argsort(-scores[row], kind="stable") if image != row]
        relevant = [LANDMARKS["abcdef"[image]] == LANDMARKS[query] for image in others]
        found = [sum(relevant[:place + 1]) / (place + 1) for place, right in enumerate(relevant) if right]
        if found:
            expected[query] = np.mean(found)
    assert {row["query_id"]: row["average_precision"] for row in results.per_query} == pytest.approx(expected)
    assert (results.card.queries_used, results.card.queries_ignored, results.card.protocol) == (5, 1, "folder")
    assert results.ranking["a"][0] == ("a", 1, pytest.approx(1.0), "junk")
    assert {image.relevance for images in results.ranking.values() for image in images} == {"junk", "positive", "negative"}
