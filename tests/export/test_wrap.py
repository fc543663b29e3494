"""`python -m export.wrap`, as a user starts it."""

import json

import numpy as np
import tensorflow as tf

from landmark_zoo.retrieval.rerank.local_features import LocalFeatures
from landmark_zoo.saved_model import SavedModel
from tests.serving.delf_saved_model import CHANNELS, write_tf1, write_tf2


def test_wraps_and_describes(run_export, tmp_path):
    done = run_export("wrap", savedmodel=write_tf1(tmp_path / "r50delg_gld"), threshold=20.0, training_data="GLDv1",
                      output=tmp_path / "delg")
    assert done.code == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "delg" / "1")
    loaded = tf.saved_model.load(str(tmp_path / "delg" / "1"))
    assert set(loaded.signatures) == {"serving_default", "images", "crop", "info", "keypoints"}
    model = SavedModel(tmp_path / "delg")
    assert (model.dimension, model.side, model.info["training_data"]) == (CHANNELS, 1024, "GLDv1")
    image = np.random.default_rng(0).integers(0, 256, [90, 120, 3]).astype(np.uint8)
    png = tf.io.encode_png(image)
    whole = loaded.signatures["crop"](image_bytes=png[tf.newaxis], box=tf.constant([[0.0, 0, 120, 90]]))["embedding"]
    np.testing.assert_allclose(whole, model.embed_images(image[np.newaxis].astype(np.float32)), atol=1e-6)
    card = json.loads((tmp_path / "delg" / "1" / "card.json").read_text())
    assert card["licence"]["model"] == "Apache-2.0"
    assert card["data"]["source"] == "r50delg_gld"


def test_local_features_for_reranking(run_export, tmp_path):
    run_export("wrap", savedmodel=write_tf2(tmp_path / "exported"), threshold=20.0, output=tmp_path / "delg")
    find = LocalFeatures(SavedModel(tmp_path / "delg"), count=50)
    image = np.random.default_rng(0).integers(0, 256, [192, 2048, 3]).astype(np.uint8)
    found = find(image)
    assert 0 < len(found) <= 50
    assert found.points[:, 0].max() > 1024
    assert (found.points <= [2048, 192]).all()
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)


def test_no_folder_is_one_line(run_export, tmp_path):
    done = run_export("wrap", savedmodel=tmp_path / "none", output=tmp_path / "delg")
    assert done.code == 2
    assert "no such folder" in done.stderr
