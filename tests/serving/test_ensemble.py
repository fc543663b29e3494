import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import Protocol, Scales
from landmark_zoo.data.resampling import rescale
from landmark_zoo.models.inspection import maps_of_images
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.ensemble import Ensemble, member_factors
from landmark_zoo.serving.export import write_saved_model
from landmark_zoo.serving.model_card import CardNotes


def test_dot_product_is_the_weighted_mean_of_the_cosines(members, batch):
    loaded = [SavedModel(path) for path in members[:2]]
    ensemble = Ensemble(loaded, [3, 1])
    found = ensemble(batch).numpy()
    cosines = [vectors @ vectors.T for vectors in (member.embed_images(batch.numpy()) for member in loaded)]
    assert found.shape == (2, 11)
    np.testing.assert_allclose(found @ found.T, 0.75 * cosines[0] + 0.25 * cosines[1], atol=1e-6)
    assert ensemble.facts["aggregation"] == "members concatenated, their cosines weighted 0.75, 0.25"
    assert ensemble.facts["training_data"] == "set a; set b"
    assert ensemble.parameters == sum(member.parameters for member in loaded) > 0


@pytest.mark.slow
def test_exported_it_needs_none_of_its_members(members, encoded_images, tmp_path):
    loaded = [SavedModel(path) for path in members]
    path = write_saved_model(Ensemble(loaded), tmp_path / "three", {}, CardNotes())
    model = tf.saved_model.load(str(path))
    found = model.signatures["serving_default"](image_bytes=tf.constant(encoded_images))["embedding"].numpy()
    assert found.shape == (4, 15)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    single = tf.saved_model.load(str(members[1])).signatures["serving_default"](image_bytes=tf.constant(encoded_images))
    np.testing.assert_allclose(found[:, 6:11] * 3 ** 0.5, single["embedding"], atol=1e-5)
    info = {key: value.numpy() for key, value in model.signatures["info"]().items()}
    assert (info["side"], info["dimension"]) == (64, 15)
    assert info["members"].tolist() == [b"a version 1", b"b version 1", b"c version 1"]
    assert b"then for the members to 64, 64, 48" in info["resize"]
    assert set(model.signatures) == {"serving_default", "images", "crop", "info", "attention"}
    assert model.signatures["images"](images=tf.zeros([0, 48, 64, 3]))["embedding"].shape == (0, 15)


def test_maps_carry_their_members_name(members, attentive_model, attentive_export, batch):
    """Each member gets the image as for its embedding: c at its side of 48."""
    ensemble = Ensemble([SavedModel(path) for path in (attentive_export, members[2])])
    found, expected = ensemble.attention(batch), maps_of_images(attentive_model, batch.numpy())
    assert list(found) == ensemble.facts["attention_maps"] == [*(f"attentive/{name}" for name in expected), "c/feature_norm"]
    assert ensemble.facts["attention_kinds"] == ["gate", "gate", "norm", "norm", "norm"]
    for name, values in expected.items():
        np.testing.assert_allclose(found[f"attentive/{name}"], values, atol=1e-5)
    alone = SavedModel(members[2]).attention(rescale(batch, 48 / 64).numpy())["feature_norm"]
    np.testing.assert_allclose(found["c/feature_norm"], alone, rtol=1e-5)
    assert alone.shape == (2, 4, 6, 1)


def test_members_of_one_name_get_numbers_and_those_without_maps_none(members, write_model, tmp_path):
    loaded = [SavedModel(path) for path in (*members[:2], write_model(tmp_path / "tiny" / "1"))]
    assert Ensemble(loaded).facts["attention_maps"] == ["a/feature_norm", "b/feature_norm"]
    for model in loaded[:2]:
        model.info["name"] = "same"
    assert Ensemble(loaded).facts["attention_maps"] == ["1_same/feature_norm", "2_same/feature_norm"]


@pytest.fixture(scope="module")
def member(make_little, tmp_path_factory):
    """member(seed, protocol) -> a loaded export of a little network."""
    def export(seed, protocol):
        folder = tmp_path_factory.mktemp("member")
        return SavedModel(write_saved_model(embedder_of(make_little(5, seed), protocol), folder / f"m{seed}", {}))
    return export


@pytest.mark.slow
def test_members_keep_their_common_rules(member, encoded_images, tmp_path):
    """Crops at the image's scale reach a member of another side at its own scale, and are not enlarged there."""
    one, two = member(0, Protocol(96, crop="image")), member(1, Protocol(64, crop="image", scales=Scales((0.75, 1.0))))
    ensemble = Ensemble([one, two])
    assert ensemble.protocol == Protocol(96, crop="image")
    found = SavedModel(write_saved_model(ensemble, tmp_path / "both", {}))
    assert (found.protocol, found.side) == (Protocol(96, crop="image"), 96)
    inputs = {"image_bytes": tf.constant(encoded_images[2:3]), "box": tf.constant([[4.0, 2.0, 36.0, 36.0]])}
    parts = [model._loaded.signatures["crop"](**inputs)["embedding"].numpy() for model in (one, two, found)]
    np.testing.assert_allclose(parts[2][:, :5] * 2 ** 0.5, parts[0], atol=1e-5)
    assert (parts[2][:, 5:] * 2 ** 0.5 * parts[1]).sum() > 0.99  # shrunk from 96 to 64, not from the original


@pytest.mark.slow
def test_images_that_nothing_resizes_reach_every_member_as_they_are(member, batch):
    one, two = member(0, Protocol(96, "none")), member(1, Protocol(64, "none"))
    ensemble = Ensemble([one, two])
    assert ensemble.facts["resize"] == "none, images keep their size"
    expected = np.concatenate([model.embed_images(batch.numpy()) for model in (one, two)], axis=1) / 2 ** 0.5
    np.testing.assert_allclose(ensemble(batch), expected, atol=1e-6)


@pytest.mark.parametrize(("protocol", "said"), [
    (Protocol(64, "lanczos"), "resize_rule bilinear as .* has it; received resize_rule lanczos at"),
    (Protocol(64, crop="image", enlarge=False), "enlarge True, crop_rule side .* received enlarge False, crop_rule image")])
def test_members_of_unlike_rules(members, protocol, said):
    first, other = SavedModel(members[0]), SavedModel(members[1])
    other.info.update(protocol.constants)
    with pytest.raises(UserError, match=f"members of one test protocol, {said}"):
        Ensemble([first, other])


def test_members_of_unlike_sides_under_other_rules(members):
    loaded = [SavedModel(path) for path in members[:2]]
    for model, side in zip(loaded, (96, 64), strict=True):
        model.info.update(Protocol(side, "lanczos", enlarge=False).constants)
    with pytest.raises(UserError, match=r"side 96 as .* received side 64"):
        Ensemble(loaded)


def test_a_member_twice(members):
    with pytest.raises(UserError, match=r"every member once; received .* which are the same\. Give one of them"):
        Ensemble([SavedModel(members[0]), SavedModel(members[0].parent)])


def test_one_member_is_no_ensemble(members):
    with pytest.raises(UserError, match="two members or more; received 1"):
        Ensemble([SavedModel(members[0])])


def test_squares_are_the_shares():
    np.testing.assert_allclose(member_factors([3, 1], 2) ** 2, [0.75, 0.25], rtol=1e-6)
    np.testing.assert_allclose(member_factors(None, 4), 0.5)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, float("nan")]])
def test_wrong_ones(weights):
    with pytest.raises(UserError, match="2 weights above 0, one for each member"):
        member_factors(weights, 2)
