import hashlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.protocol import Protocol
from landmark_zoo.saved_model import SavedModel


def test_bytes_become_unit_embeddings(tiny_model, paint):
    encoded = [paint("a.png", 1).read_bytes(), paint("b.jpg", 2, (40, 90)).read_bytes()]
    vectors = tiny_model.embed_bytes(encoded)
    assert vectors.shape == (2, tiny_model.dimension) == (2, 12)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(tiny_model.embed_bytes(encoded[1:])[0], vectors[1], atol=1e-6)


def test_no_images_no_embeddings(tiny_model):
    assert tiny_model.embed_bytes([]).shape == (0, 12)


def test_info_is_plain_python(tiny_model):
    assert tiny_model.info == {"name": "tiny", "dimension": 12, "scales": [1.0], "side": 64, "preprocessing": "none"}


def test_bytes_that_are_no_image(tiny_model):
    with pytest.raises(InvalidImageError, match="Unknown image file format"):
        tiny_model.embed_bytes([b"no picture"])


def test_the_highest_version_is_taken(tiny_path, tmp_path):
    for version in ("2", "10", "latest"):
        shutil.copytree(tiny_path / "1", tmp_path / "zoo" / version)
    assert SavedModel(tmp_path / "zoo").path.name == "10"
    assert SavedModel(tmp_path / "zoo" / "2").path.name == "2"


def test_fingerprint_is_that_of_the_export(tiny_model, tiny_path, write_model, tmp_path):
    copy = SavedModel(shutil.copytree(tiny_path / "1", tmp_path / "copy"))
    other = SavedModel(write_model(tmp_path / "other", scale=2.0))
    assert copy.fingerprint == tiny_model.fingerprint
    assert len(copy.fingerprint) == 64
    assert other.fingerprint != copy.fingerprint


def test_a_model_without_keypoints(tiny_model):
    with pytest.raises(UserError, match=r"the signature keypoints at .*Export xfeat: python -m export\.savedmodel"):
        tiny_model.keypoints(np.zeros((1, 64, 64, 3), np.float32), 5)


@pytest.mark.parametrize("absent", ["serving_default", "images", "info"])
def test_missing_signature_is_named(write_model, tmp_path, absent):
    signatures = tuple(name for name in ("serving_default", "images", "info") if name != absent)
    with pytest.raises(UserError, match=f"signature {absent}"):
        SavedModel(write_model(tmp_path / "m", signatures=signatures))


def test_folder_without_a_model(tmp_path):
    with pytest.raises(UserError, match=r"SavedModel .* received none"):
        SavedModel(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        SavedModel(tmp_path / "absent")


def test_broken_file_is_one_line(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(UserError, match="readable SavedModel"):
        SavedModel(tmp_path)


def test_local_features_are_asked_for_in_vain(tiny_model):
    with pytest.raises(UserError, match=r"the signature local at .*; received signatures images, info, serving_default"):
        tiny_model.local(np.zeros((1, 64, 64, 3), np.float32))


def test_attention_maps_are_asked_for_in_vain(tiny_model):
    assert not tiny_model.has_attention
    assert tiny_model.attention_kinds == {}
    with pytest.raises(UserError, match=r"the signature attention at .*; received signatures images, info, serving_default"):
        tiny_model.attention(np.zeros((1, 64, 64, 3), np.float32))


@pytest.fixture(scope="module")
def attentive_path(tmp_path_factory):
    """An export with the maps "attention/x" and "feature_norm" in that order, whose gate is the images' first channel."""
    from tests.tiny_saved_model import TinyModel
    model = TinyModel(1.0, ("serving_default", "images", "info"))
    spec = tf.TensorSpec([None, None, None, 3], tf.float32, name="images")
    model.functions["attention"] = tf.function(lambda images: {"feature_norm": tf.norm(images, axis=-1, keepdims=True),
                                                               "attention/x": images[..., :1] / 255}, [spec])
    facts = {**model.functions["info"](), "attention_maps": tf.constant(["attention/x", "feature_norm"]),
             "attention_kinds": tf.constant(["gate", "norm"])}
    model.functions["info"] = tf.function(lambda: facts, [])
    path = tmp_path_factory.mktemp("models") / "attentive" / "1"
    tf.saved_model.save(model, str(path), signatures=model.functions)
    return path


def test_attention_maps_come_in_the_order_of_info(attentive_path):
    model = SavedModel(attentive_path)
    images = np.random.default_rng(0).uniform(0, 255, (2, 40, 32, 3)).astype(np.float32)
    found = model.attention(images)
    assert list(found) == ["attention/x", "feature_norm"]
    assert model.attention_kinds == {"attention/x": "gate", "feature_norm": "norm"}
    np.testing.assert_allclose(found["attention/x"], images[..., :1] / 255, rtol=1e-6)
    np.testing.assert_allclose(model.as_module().attention(tf.constant(images))["attention/x"], found["attention/x"])


@pytest.mark.parametrize("stated", [{}, {"attention_maps": ["attention/x"], "attention_kinds": ["gate"]},
                                    {"attention_maps": ["attention/x", "feature_norm"], "attention_kinds": ["gate"]}])
def test_maps_that_info_does_not_explain(attentive_path, stated):
    model = SavedModel(attentive_path)
    model.info = {**{key: value for key, value in model.info.items() if not key.startswith("attention")}, **stated}
    with pytest.raises(UserError, match=r"info\(\) to state name and kind of the maps attention/x, feature_norm at"):
        model.attention(np.zeros((1, 64, 64, 3), np.float32))


def test_a_classifier_is_no_parameter_of_the_model(tmp_path):
    module = tf.Module()
    module.weights, module.classifier_weights = [tf.Variable(tf.zeros([3, 4]))], [tf.Variable(tf.zeros([50, 6]))]
    outer = tf.Module()
    outer.embedder = module
    tf.train.Checkpoint(outer).write(str(tmp_path / "variables" / "variables"))
    model = object.__new__(SavedModel)
    model.path = tmp_path
    assert model.parameters == 12


def test_fingerprint_is_that_of_sets_on_disk(tiny_model):
    """The formula that embedding sets on disk were written with."""
    lines = [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
             for file in [tiny_model.path / "saved_model.pb", *sorted((tiny_model.path / "variables").iterdir())]]
    assert tiny_model.fingerprint == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_name_side_card_and_sizes(tiny_model, tiny_path, tmp_path):
    assert (tiny_model.name, tiny_model.side, tiny_model.parameters, tiny_model.card) == ("tiny", 64, 1, {})
    copy = shutil.copytree(tiny_path / "1", tmp_path / "copy")
    (copy / "card.json").write_text('{"recipe": "r"}')
    assert SavedModel(copy).card == {"recipe": "r"}
    assert SavedModel(copy).megabytes == pytest.approx(tiny_model.megabytes, abs=1e-4)
    assert tiny_model.megabytes > 0.001


def test_an_export_that_states_no_rules_has_those_of_its_time(tiny_model, write_model, tmp_path):
    assert tiny_model.protocol == Protocol(64)
    model = SavedModel(write_model(tmp_path / "m"))
    model.info["resize_rule"] = "fisheye"
    with pytest.raises(UserError, match="lanczos, none for --resize_rule; received fisheye"):
        assert model.protocol


def test_a_side_that_is_not_stated(tmp_path, write_model):
    model = SavedModel(write_model(tmp_path / "m"))
    del model.info["side"]
    for ask in (lambda: model.side, model.as_module, lambda: model.protocol):
        with pytest.raises(UserError, match=r"info\(\) states its side, at .*; received None"):
            ask()


def test_a_module_can_be_saved_inside_another(tiny_path, tmp_path):
    outer = tf.Module()
    outer.inner = SavedModel(tiny_path).as_module()
    images = tf.random.stateless_uniform([2, 48, 64, 3], [0, 1], maxval=255.0)
    outer.call = tf.function(lambda images: -outer.inner(images), [tf.TensorSpec([None, None, None, 3])])
    tf.saved_model.save(outer, str(tmp_path / "outer"))
    loaded = tf.saved_model.load(str(tmp_path / "outer"))
    np.testing.assert_allclose(-loaded.call(images), SavedModel(tiny_path).embed_images(images.numpy()), atol=1e-6)


def test_a_module_of_embeddings_of_another_length(write_model, tmp_path):
    with pytest.raises(UserError, match=r"embeddings have length 1 at .*; received length 2.0000"):
        SavedModel(write_model(tmp_path / "long" / "1", scale=2.0)).as_module()


def test_not_ours(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "other"))
    with pytest.raises(UserError, match=r"the signature serving_default at .*; received signatures \(none\)"):
        SavedModel(tmp_path / "other")
