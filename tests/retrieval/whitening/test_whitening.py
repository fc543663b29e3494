"""What every fitted whitening does: refuse, describe, save, load."""

import json

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.whitening.learnt_whitening import LearntWhitening
from landmark_zoo.retrieval.whitening.pca_whitening import PcaWhitening
from tests.retrieval.made_up import made_up, of


@pytest.fixture
def train():
    return made_up(50, prefix="t")


@pytest.fixture(params=["pca", "learnt"])
def whitening(request, train):
    if request.param == "pca":
        return PcaWhitening(4).fit(train)
    return LearntWhitening(4).fit(train, [(f"t{n}", f"t{n + 5}") for n in range(45)])


def test_whitened_embeddings_are_those_of_another_model_and_say_so(whitening, train):
    other = made_up(9)
    whitened = whitening.transform(other)
    assert (whitened.ids, whitened.dimension) == (other.ids, 4)
    assert whitened.model_fingerprint == whitening.fingerprint != "f"
    info = whitened.provenance["model"]
    assert (info["whitening"], info["dimension"], info["name"]) == (whitening.description, 4, "made up")
    assert info["whitening_learnt_on"] == "50 embeddings of photographs with checksum cccccccccccc"
    assert whitened.provenance["steps"] == [f"whitening: {whitening.description}"]
    assert "8 to 4 dimensions" in whitening.description
    assert other.provenance["model"]["whitening"] == "none"


def test_a_second_whitening_is_added_to_the_first(whitening, train):
    second = PcaWhitening(2, power=0.5).fit(whitening.transform(train))
    info = second.transform(whitening.transform(made_up(3))).provenance["model"]
    assert info["whitening"] == f"{whitening.description}, then PCA, 4 to 2 dimensions, power 0.5"


def test_save_and_load_give_the_same(whitening, tmp_path):
    whitening.save(tmp_path / "w")
    loaded = type(whitening).load(tmp_path / "w")
    np.testing.assert_array_equal(loaded.transform(made_up(9)).vectors, whitening.transform(made_up(9)).vectors)
    assert (loaded.fingerprint, loaded.provenance, loaded.settings) == (
        whitening.fingerprint, whitening.provenance, whitening.settings)
    assert {path.name for path in (tmp_path / "w").iterdir()} == {"mean.npy", "projection.npy", "whitening.json"}
    with pytest.raises(UserError, match="one that exists"):
        whitening.save(tmp_path / "w")


def test_other_embeddings_are_refused(whitening):
    with pytest.raises(UserError, match="dimension 8; received dimension 3"):
        whitening.transform(made_up(2, 3))
    with pytest.raises(UserError, match="fingerprint f; received fingerprint g"):
        whitening.transform(of(["a"], [np.ones(8)], "g"))
    with pytest.raises(UserError, match="received dimension 4"):
        whitening.transform(whitening.transform(made_up(2)))


def test_an_embedding_without_a_direction_is_refused():
    train = of(["a", "b", "c", "d"], [[1, 0, 0], [0.6, 0.8, 0], [0.6, -0.8, 0], [0, 0, 1]])
    whitening = PcaWhitening(1).fit(train)
    whitening.projection = np.zeros_like(whitening.projection)
    with pytest.raises(UserError, match="length 0"):
        whitening.transform(train)


def test_nothing_works_before_fit(tmp_path):
    for use in (lambda w: w.transform(made_up(2)), lambda w: w.fingerprint, lambda w: w.description,
                lambda w: w.save(tmp_path / "w")):
        with pytest.raises(UserError, match="a fitted whitening; received a new one"):
            use(PcaWhitening())
    assert not (tmp_path / "w").exists()


def spoil_kind(folder):
    facts = json.loads((folder / "whitening.json").read_text())
    (folder / "whitening.json").write_text(json.dumps({**facts, "kind": "?"}))


@pytest.mark.parametrize("spoil", [
    spoil_kind,
    lambda folder: (folder / "whitening.json").write_text("{}"),
    lambda folder: (folder / "whitening.json").unlink(),
    lambda folder: (folder / "mean.npy").write_bytes(b""),
    lambda folder: np.save(folder / "mean.npy", np.ones(8, np.float32)),
    lambda folder: np.save(folder / "projection.npy", np.array([{}], object), allow_pickle=True),
])
def test_files_that_do_not_fit_are_refused(train, tmp_path, spoil):
    PcaWhitening(4).fit(train).save(tmp_path / "w")
    spoil(tmp_path / "w")
    with pytest.raises(UserError, match="Expected"):
        PcaWhitening.load(tmp_path / "w")


def test_queries_and_index_of_one_whitening_compare_and_of_two_do_not(train):
    one, two = (PcaWhitening(4, power).fit(train) for power in (0.25, 0.5))
    index = one.transform(made_up(5))
    index.check_model(4, one.transform(made_up(2)).model_fingerprint)
    with pytest.raises(UserError, match="Embed both with the same model"):
        index.check_model(4, two.transform(made_up(2)).model_fingerprint)
