import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.retrieval.index.exact import ExactIndex
from landmark_zoo.retrieval.whitening import (
    LearnedWhitening,
    PCAWhitening,
    fit_on_images,
    load_whitening,
    matching_pairs,
    numerical_rank,
)
from tests.retrieval.made_up import made_up, of


@pytest.fixture
def train():
    return made_up(50, prefix="t")


@pytest.fixture(params=["pca", "learnt"])
def whitening(request, train):
    if request.param == "pca":
        return PCAWhitening(4).fit(train)
    return LearnedWhitening(4).fit(train, [(f"t{n}", f"t{n + 5}") for n in range(45)])


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
    second = PCAWhitening(2, power=0.5).fit(whitening.transform(train))
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
    whitening = PCAWhitening(1).fit(train)
    whitening.projection = np.zeros_like(whitening.projection)
    with pytest.raises(UserError, match="length 0"):
        whitening.transform(train)


def test_nothing_works_before_fit(tmp_path):
    for use in (lambda w: w.transform(made_up(2)), lambda w: w.fingerprint, lambda w: w.description,
                lambda w: w.save(tmp_path / "w")):
        with pytest.raises(UserError, match="a fitted whitening; received a new one"):
            use(PCAWhitening())
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
    PCAWhitening(4).fit(train).save(tmp_path / "w")
    spoil(tmp_path / "w")
    with pytest.raises(UserError, match="Expected"):
        PCAWhitening.load(tmp_path / "w")


def test_queries_and_index_of_one_whitening_compare_and_of_two_do_not(train):
    one, two = (PCAWhitening(4, power).fit(train) for power in (0.25, 0.5))
    index = one.transform(made_up(5))
    index.check_model(4, one.transform(made_up(2)).model_fingerprint)
    with pytest.raises(UserError, match="Embed both with the same model"):
        index.check_model(4, two.transform(made_up(2)).model_fingerprint)


def plain(whitening, embeddings):
    """The map without the normalisation at its end."""
    return (embeddings.vectors - whitening.mean) @ whitening.projection


def test_power_a_half_gives_covariance_1():
    train = made_up(200)
    whitened = plain(PCAWhitening(power=0.5).fit(train), train)
    np.testing.assert_allclose(np.cov(whitened, rowvar=False), np.eye(8), atol=1e-4)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-5)


def test_power_leaves_that_part_of_the_variance_in_falling_order():
    train = made_up(200)
    rotated = np.var(plain(PCAWhitening(power=0).fit(train), train), axis=0, ddof=1)
    softened = np.var(plain(PCAWhitening(power=0.25).fit(train), train), axis=0, ddof=1)
    np.testing.assert_allclose(softened, rotated**0.5, rtol=1e-3)
    assert (np.diff(rotated) <= 0).all()


def test_against_the_decomposition_written_out():
    train, other = made_up(60), made_up(7, seed=3)
    mean = train.vectors.astype(np.float64).mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(train.vectors.astype(np.float64), rowvar=False))
    expected = (other.vectors - mean) @ (directions[:, ::-1][:, :3] / values[::-1][:3] ** 0.25)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    whitened = PCAWhitening(3, power=0.25).fit(train).transform(other).vectors
    np.testing.assert_allclose(whitened @ whitened.T, expected @ expected.T, atol=1e-4)  # signs are free


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99))
def test_power_0_keeps_distances_from_the_mean_and_whitening_ignores_a_rotation(seed):
    train = made_up(40, 6)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=[6, 6]))[0]
    turned = of(train.ids, train.vectors @ rotation)
    rotated = plain(PCAWhitening(power=0).fit(train), train)
    centerd = train.vectors - train.vectors.mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(rotated, axis=1), np.linalg.norm(centerd, axis=1), atol=1e-5)
    one, other = (PCAWhitening(4).fit(embeddings).transform(embeddings).vectors for embeddings in (train, turned))
    np.testing.assert_allclose(one @ one.T, other @ other.T, atol=1e-3)


def test_directions_without_variance_are_left_out_and_never_divided_by():
    flat = of([f"i{n}" for n in range(50)], np.pad(made_up(50, 5).vectors, [(0, 0), (0, 3)]))
    whitening = PCAWhitening(power=0.5).fit(flat)
    assert whitening.projection.shape == (8, 5)
    assert np.abs(whitening.projection).max() < 100
    with pytest.raises(UserError, match="vary in 6 directions or more; received 50 of dimension 8 that vary in 5"):
        PCAWhitening(6).fit(flat)


def test_fewer_images_than_dimensions():
    few = made_up(4)
    assert PCAWhitening(3).fit(few).transform(few).vectors.dtype == np.float32
    with pytest.raises(UserError, match="Fit on more photographs"):
        PCAWhitening(4).fit(few)


@pytest.mark.parametrize("train", [of(["a"], [[1, 0]]), of(["a", "b", "c"], [[1, 0]] * 3)])
def test_embeddings_that_do_not_vary(train):
    with pytest.raises(UserError, match="vary in 0"):
        PCAWhitening().fit(train)


@pytest.mark.parametrize(("settings", "message"), [({"power": 0.6}, "power from 0"), ({"power": -0.1}, "power from 0"),
                                                   ({"power": np.nan}, "power from 0"), ({"dimension": 0}, "1 dimension")])
def test_settings_out_of_range(settings, message):
    with pytest.raises(UserError, match=message):
        PCAWhitening(**settings)


def pairs_of(embeddings, landmarks=5):
    return matching_pairs(embeddings.ids, {image_id: str(n % landmarks) for n, image_id in enumerate(embeddings.ids)}, 400)


def test_differences_of_pairs_turn_white_and_the_whole_diagonal_and_falling():
    train = made_up(100)
    pairs = pairs_of(train)
    whitening = LearnedWhitening().fit(train, pairs)
    row_of = {image_id: row for row, image_id in enumerate(train.ids)}
    within = np.zeros((8, 8))
    for first, second in pairs:
        difference = train.vectors[row_of[first]].astype(np.float64) - train.vectors[row_of[second]]
        within += np.outer(difference, difference) / len(pairs)
    projection = whitening.projection.astype(np.float64)
    np.testing.assert_allclose(projection.T @ within @ projection, np.eye(8), atol=1e-5)
    whole = projection.T @ np.cov(train.vectors.astype(np.float64), rowvar=False) @ projection
    np.testing.assert_allclose(whole, np.diag(np.diag(whole)), atol=1e-4 * whole.max())
    assert (np.diff(np.diag(whole)) < 0).all()


def test_the_mean_is_that_of_all_embeddings():
    train = made_up(40)
    whitening = LearnedWhitening().fit(train, pairs_of(train)[:30])
    np.testing.assert_allclose(whitening.mean, train.vectors.mean(axis=0), atol=1e-6)
    assert whitening.provenance["mean"] == "of these embeddings"
    assert whitening.provenance["pairs"] == 30


def test_fewer_dimensions_are_the_first_of_all():
    train = made_up(100)
    two, all_ = (LearnedWhitening(dimension).fit(train, pairs_of(train)).projection for dimension in (2, None))
    np.testing.assert_allclose(two, all_[:, :2], rtol=1e-5)


def test_it_takes_away_what_differs_within_landmarks():
    """One direction is pure within-landmark noise, larger than everything that tells landmarks apart."""
    def noisy(count, seed):
        signal = made_up(count, 6, seed, spread=0.2).vectors
        return of([f"i{n}" for n in range(count)], np.c_[signal, 3 * np.random.default_rng(seed).normal(size=[count, 2])])

    def first_right(embeddings):
        found, _ = ExactIndex.of(embeddings).search_positions(embeddings.vectors, 2)
        return np.mean(found[:, 1] % 5 == np.arange(len(embeddings)) % 5)
    train, test = noisy(300, 1), noisy(60, 2)
    assert first_right(LearnedWhitening(4).fit(train, pairs_of(train)).transform(test)) > first_right(test) + 0.1


def test_refusals():
    train = made_up(20)
    with pytest.raises(UserError, match="none for nobody"):
        LearnedWhitening().fit(train, [("i0", "i5"), ("i1", "nobody")])
    with pytest.raises(UserError, match="received none"):
        LearnedWhitening().fit(train, [])
    with pytest.raises(UserError, match="span all 8 dimensions; received 3 pairs that span 3"):
        LearnedWhitening().fit(train, [("i0", "i5"), ("i1", "i6"), ("i2", "i7")])
    with pytest.raises(UserError, match="8 dimensions or fewer; received 9"):
        LearnedWhitening(9).fit(train, pairs_of(train))


def test_more_images_than_pairs_need_leave_it_real_valued():
    """`numpy.linalg.eig` gives complex numbers here: the matrix is symmetric only up to rounding."""
    train = made_up(300, 64)
    projection = LearnedWhitening().fit(train, pairs_of(train)).projection
    assert projection.dtype == np.float32
    assert np.isfinite(projection).all()


def test_either_kind(tmp_path):
    train = made_up(50)
    PCAWhitening(3, 0.5).fit(train).save(tmp_path / "pca")
    LearnedWhitening(3).fit(train, [(f"i{n}", f"i{n + 5}") for n in range(45)]).save(tmp_path / "learnt")
    assert load_whitening(tmp_path / "pca").settings == {"dimension": 3, "power": 0.5}
    assert isinstance(load_whitening(tmp_path / "learnt"), LearnedWhitening)


@pytest.mark.parametrize("text", [None, "[]", "{}", '{"kind": "tea"}'])
def test_something_else(tmp_path, text):
    if text is not None:
        (tmp_path / "whitening.json").write_text(text)
    with pytest.raises(UserError, match="Expected"):
        load_whitening(tmp_path)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=4, max_size=20), st.integers(0, 9))
def test_pairs_are_two_images_of_one_landmark(landmarks, seed):
    landmark_of = {f"i{n}": landmark for n, landmark in enumerate(landmarks)}
    pairs = matching_pairs([*landmark_of, "unknown"], landmark_of, 50, seed)
    assert len(pairs) == 50
    assert all(a != b and landmark_of[a] == landmark_of[b] for a, b in pairs)


def test_every_image_with_a_partner_is_drawn_about_as_often():
    landmark_of = {**{f"a{n}": "a" for n in range(2)}, **{f"b{n}": "b" for n in range(8)}, "alone": "c"}
    first = [a for a, _ in matching_pairs(list(landmark_of), landmark_of, 10_000)]
    assert "alone" not in first
    assert all(800 < first.count(image_id) < 1200 for image_id in landmark_of if image_id != "alone")


def test_the_seed_decides():
    landmark_of = {f"i{n}": str(n % 3) for n in range(30)}
    ids = list(landmark_of)
    assert matching_pairs(ids, landmark_of, 20, 1) == matching_pairs(ids, landmark_of, 20, 1)
    assert matching_pairs(ids, landmark_of, 20, 1) != matching_pairs(ids, landmark_of, 20, 2)


def test_no_pair_at_all():
    with pytest.raises(UserError, match="a landmark with two photographs"):
        matching_pairs(["a", "b"], {"a": "1", "b": "2"})


@pytest.mark.parametrize(("variances", "rank"), [
    ([1, 0.5, 1e-9], 3), ([1, 0.5, 1e-11], 2), ([1e-5, 1e-16], 1), ([1e-16, 1e-17], 0), ([0, -1e-20], 0)])
def test_rounding_is_no_direction(variances, rank):
    assert numerical_rank(np.array(variances)) == rank


def test_is_the_whitening_of_that_model(tiny_path, tiny_model, paint, tmp_path):
    images = [ImageRef(str(seed), paint(f"{seed}.png", seed)) for seed in range(12)]
    whitening = fit_on_images(tiny_path, [*images, ImageRef("bad", tmp_path / "absent.png")], 3, 0.25, tmp_path / "e")
    assert whitening.projection.shape == (12, 3)
    assert whitening.model_fingerprint == tiny_model.fingerprint
    assert whitening.provenance["fitted_on"].startswith("12 embeddings")
    vectors = tiny_model.embed_bytes([image.path.read_bytes() for image in images])
    np.testing.assert_allclose(whitening.mean, vectors.mean(axis=0), atol=5e-3)  # PNGs go through a JPEG


def test_too_few_images(tiny_path, paint, tmp_path):
    with pytest.raises(UserError, match="embeddings that vary in 8 directions or more"):
        fit_on_images(tiny_path, [ImageRef("a", paint("a.png", 0)), ImageRef("b", paint("b.png", 1))], 8, 0.25,
                           tmp_path / "e")


@pytest.mark.parametrize("change", [
    {"kind": []}, {"settings": {"dimension": "4"}}, {"settings": None}, {"fingerprint": None}, {"model_fingerprint": None},
    {"provenance": {}}, {"provenance": None}])
def test_facts_of_other_types_are_named(train, tmp_path, change):
    PCAWhitening(4).fit(train).save(tmp_path / "w")
    facts = json.loads((tmp_path / "w/whitening.json").read_text())
    (tmp_path / "w/whitening.json").write_text(json.dumps(facts | change))
    for load in (load_whitening, PCAWhitening.load):
        with pytest.raises(UserError, match=rf"for {next(iter(change))}.* in .*whitening\.json; received"):
            load(tmp_path / "w")
