import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from export.options import CardOptions, ProtocolOptions, WhiteningOptions, convert_verified, sample_images, write_export
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import claim_path
from landmark_zoo.core.scripts import attribute_texts
from landmark_zoo.data.protocol import PUBLISHED, Protocol, Scales
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening import PCAWhitening
from landmark_zoo.serving.embedders import embedder_of
from tests.serving.conftest import little


@pytest.fixture(scope="module")
def embedder(root):
    return embedder_of(little(6), 64)


def embed(folder):
    images = np.random.default_rng(0).uniform(0, 255, [2, 48, 64, 3]).astype(np.float32)
    return tf.saved_model.load(str(folder)).signatures["images"](tf.constant(images))["embedding"].numpy()


@pytest.mark.slow
def test_whitening_and_card(embedder, photos, tmp_path):
    plain = write_export(embedder, tmp_path / "m", {}, WhiteningOptions(), CardOptions(), {}, {})
    white = write_export(embedder, tmp_path / "m", {}, WhiteningOptions(pca=4, pca_images=str(photos)),
                         CardOptions(licence="MIT"), {"source": "drawn"}, {"epochs": 2})
    assert (plain.name, white.name) == ("1", "2")
    assert (embed(plain).shape, embed(white).shape) == ((2, 6), (2, 4))
    card = json.loads((white / "card.json").read_text())
    assert card["info"]["dimension"] == 4
    assert (card["data"], card["recipe"]["epochs"], card["licence"]["model"]) == ({"source": "drawn"}, 2, "MIT")


def test_a_published_protocol_with_single_rules_of_its_own():
    assert ProtocolOptions().chosen() == Protocol()
    found = ProtocolOptions(side=64, scales="0.5,1", scale_power=2.0).chosen()
    assert found == Protocol(64, scales=Scales((0.5, 1.0), power=2.0))
    assert ProtocolOptions(protocol="cirtorch").chosen() == PUBLISHED["cirtorch"]
    found = ProtocolOptions(protocol="cirtorch", side=512, enlarge=True, scales="1", crop_rule="side").chosen()
    assert found == Protocol(512, "lanczos", scales=dataclasses.replace(PUBLISHED["cirtorch"].scales, factors=(1.0,)))


def test_help_names_every_published_protocol():
    for name in PUBLISHED:
        assert name in attribute_texts(ProtocolOptions)["protocol"]


@pytest.mark.parametrize(("flags", "said"), [
    ({"protocol": "delf"}, "one of cirtorch, .* for --protocol; received delf"),
    ({"side": 31}, "32"), ({"side": 8193}, "8192"),
    ({"scales": "1,x"}, "numbers for --scales"), ({"scales": ""}, "numbers for --scales"),
    ({"scale_power": 101.0}, "scale_power"), ({"scale_power": 0.0}, "a power above 0"),
    ({"resize_rule": "cubic"}, "--resize_rule"), ({"protocol": "superglobal", "scale_power": 3.0}, "--scale_pooling=mean")])
def test_mistakes_about_the_protocol(flags, said):
    with pytest.raises(UserError, match=said):
        ProtocolOptions(**flags)


def test_no_l2_before_the_whitening_wants_a_whitening_learnt_so(tmp_path, folder):
    embedder = embedder_of(little(6), Protocol(64, whitening_l2=False))
    for whitening, received in ((WhiteningOptions(), "none"), (WhiteningOptions(pca=4, pca_images="p"), "--pca")):
        with pytest.raises(UserError, match=f"with --nowhitening_l2; received {received}"):
            write_export(embedder, tmp_path / "m", {}, whitening, CardOptions(), {}, {})
    with pytest.raises(UserError, match="received one learnt on embeddings, which have length 1"):
        WhiteningOptions(whitening=folder(FACTS)).read_or_fit(never, {**FACTS, "whitening_l2": False})


FACTS = {"weights_sha256": "abc", "side": 64, "scales": [1.0], "aggregation": "none",
         "resize": "longer side to 64 pixels, antialiased"}


@pytest.fixture
def folder(tmp_path):
    """folder(facts) -> a PCA from 6 to 4 dimensions, learnt on embeddings of a model with these facts."""
    def save(facts):
        vectors = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        PCAWhitening(4).fit(EmbeddingSet([str(number) for number in range(40)], vectors, "f", {"model": facts})).save(
            tmp_path / "whitening")
        return str(tmp_path / "whitening")
    return save


def never(path):
    raise AssertionError("Nothing has to be written to read a whitening.")


def test_none_is_asked_for():
    assert WhiteningOptions().read_or_fit(never, FACTS) is None


def test_one_of_this_model(folder):
    found = WhiteningOptions(whitening=folder(FACTS)).read_or_fit(never, FACTS)
    assert (found.mean.shape, found.projection.shape) == ((6,), (6, 4))


@pytest.mark.parametrize(("key", "other"), [("weights_sha256", "abd"), ("side", 80), ("scales", [0.5, 1.0]),
                                            ("resize", "none, images keep their size")])
def test_one_of_another_model_or_other_settings(folder, key, other):
    options = WhiteningOptions(whitening=folder({**FACTS, key: other}))
    with pytest.raises(UserError, match=f"learnt on embeddings with {key}"):
        options.read_or_fit(never, FACTS)


@pytest.mark.parametrize("flags", [{"whitening": "w", "pca": 4, "pca_images": "p"}, {"pca": 4}, {"pca_images": "p"}])
def test_flags_that_contradict_each_other(flags):
    with pytest.raises(UserError, match="--pca"):
        WhiteningOptions(**flags)


def test_without_results():
    notes = CardOptions(licence="MIT").notes({"photographs": 3}, {"epochs": 2}, {})
    assert (notes.data, notes.recipe, notes.scores, notes.licence) == ({"photographs": 3}, {"epochs": 2}, [], "MIT")


def test_every_folder_has_to_hold_results(tmp_path):
    with pytest.raises(UserError, match=r"metrics\.json"):
        CardOptions(results=f"{tmp_path},").notes({}, {}, {})


IMAGES = [np.random.default_rng(0).uniform(0, 255, [1, 40, 64, 3]).astype(np.float32)]


@pytest.mark.slow
def test_written_or_nothing(small_export, tmp_path):
    loaded = tf.saved_model.load(str(small_export))

    def same(path):
        assert path.read_text() == "converted"
        return lambda image: loaded.signatures["images"](images=tf.constant(image))["embedding"].numpy()

    def opposite(path):
        return lambda image: -same(path)(image)

    def convert(path):
        path.write_text("converted")

    with pytest.raises(UserError, match="Nothing was written"):
        convert_verified(small_export, tmp_path / "out" / "file", convert, opposite, IMAGES, 0.99)
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "out" / ".file.abcd1234.tmp").mkdir()  # as a killed one leaves it
    assert convert_verified(small_export, tmp_path / "out" / "file", convert, same, IMAGES, 0.99) > 0.9999
    assert (tmp_path / "out" / "file").read_text() == "converted"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file"]
    with claim_path(tmp_path / "out" / "file"), pytest.raises(UserError, match="a run that is using it"):
        convert_verified(small_export, tmp_path / "out" / "file", convert, same, IMAGES, 0.99)


def test_bad_ones_are_left_out_and_the_rest_spread(photo_folder, tmp_path):
    everything = sample_images(photo_folder, 100)
    assert len(everything) == 6
    some = sample_images(photo_folder, 3)
    assert len(some) == 3
    assert some == [everything[0], everything[2], everything[4]]
    with pytest.raises(UserError, match="images"):
        sample_images(tmp_path, 3)
