"""`python -m export.ensemble`, as a user starts it."""

import json

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening import PCAWhitening
from tests.tiny_saved_model import write_tiny_saved_model


@pytest.fixture
def images(photos):
    return tf.constant([path.read_bytes() for path in sorted(photos.rglob("*.jpg"))[:3]])


def embed(path, images):
    model = tf.saved_model.load(str(path))
    return model.signatures["serving_default"](image_bytes=images)["embedding"].numpy()


@pytest.mark.slow
def test_weighted_cosines_and_a_card(run_export, members, images, tmp_path):
    done = run_export("ensemble", members=",".join(map(str, members)), weights="3,1", output=tmp_path / "both")
    assert done.code == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "both" / "1")
    found = embed(tmp_path / "both" / "1", images)
    cosines = [part @ part.T for part in (embed(path / "1", images) for path in members)]
    np.testing.assert_allclose(found @ found.T, 0.75 * cosines[0] + 0.25 * cosines[1], atol=1e-5)
    card = json.loads((tmp_path / "both" / "1" / "card.json").read_text())
    assert card["data"] == {"a": "set a", "b": "set b"}
    assert card["info"]["members"] == ["a version 1", "b version 1"]


@pytest.mark.slow
def test_pca_on_images(run_export, members, photos, images, tmp_path):
    done = run_export("ensemble", members=",".join(map(str, members)), pca=3, pca_images=photos, output=tmp_path / "small")
    assert done.code == 0, done.stderr
    found = embed(tmp_path / "small" / "1", images)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert found.shape == (3, 3)
    info = tf.saved_model.load(str(tmp_path / "small" / "1")).signatures["info"]()
    assert info["whitening"].numpy() == b"PCA, 11 to 3 dimensions, power 0.25"
    assert info["whitening_learnt_on"].numpy().startswith(b"10 embeddings of photographs")


@pytest.mark.parametrize(("values", "said"), [
    ({"weights": "1"}, "2 weights above 0, one for each member; received 1.0"),
    ({"weights": "1,x"}, "numbers for --weights"),
    ({"weights": "1,0"}, "2 weights above 0"),
    ({"pca": 3}, "--pca together with --pca_images"),
    ({"pca": 3, "pca_images": "absent"}, "a folder at"),
    ({"pca": 3, "pca_images": "absent", "whitening": "absent"}, "--whitening or --pca; received both"),
    ({"whitening": "absent"}, "absent/whitening.json"),
    ({"results": "absent"}, "absent/metrics.json"),
    ({"members": "absent"}, "a SavedModel at absent (saved_model.pb"),
])
def test_mistakes_are_one_line(run_export, members, tmp_path, values, said):
    done = run_export("ensemble", **{"members": ",".join(map(str, members)), "output": tmp_path / "out", **values})
    assert done.code == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_whitening_of_another_dimension(run_export, members, tmp_path):
    vectors = np.random.default_rng(0).normal(size=(20, 7)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    PCAWhitening(2).fit(EmbeddingSet([str(row) for row in range(20)], vectors, "f")).save(tmp_path / "whitening")
    done = run_export("ensemble", members=",".join(map(str, members)), whitening=tmp_path / "whitening",
                      output=tmp_path / "out")
    assert done.code == 2
    assert "a whitening of 11 dimensions, as the embedding has; received one of 7" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_members_that_do_not_fit(root, run_export, members, tmp_path):
    write = write_tiny_saved_model
    long = write(tmp_path / "long" / "1", scale=2.0)
    silent = write(tmp_path / "silent" / "1", signatures=("serving_default", "images"))
    for path, said in ((long, "embeddings have length 1"), (silent, "the signature info"),
                       (members[0], "every member once")):
        done = run_export("ensemble", members=f"{members[0]},{path}", output=tmp_path / "out")
        assert (done.code, done.stderr.count("\n")) == (2, 1)
        assert said in done.stderr
