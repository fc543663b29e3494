"""Whitening of embeddings: by PCA, or learned from matching pairs; `fit`, `transform`, `save`, `load`."""

import abc
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.decomposition import PCA

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, read_npy, write_json, write_npy
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.embedding_set import EmbeddingSet, check_same_model, with_vectors
from landmark_zoo.saved_model import SavedModel

_FORM = {"kind": str, "settings": {"dimension": int | None, "power": float | None}, "fingerprint": str,
         "model_fingerprint": str, "provenance": {"fitted_on": str}}


class Whitening(abc.ABC):
    """Affine map learned from embeddings: x -> (x - mean) projection, L2-normalised.

    The mean is that of all embeddings it was fitted on, for queries and index images alike. What it makes are embeddings of
    another model (`fingerprint`): they cannot be compared with unwhitened ones, nor with those of another whitening.

    On disk it is a folder: `mean.npy`, `projection.npy` and `whitening.json` (kind, settings, fingerprints, provenance).

    Args:
        dimension: D', the dimensions that remain; None for as many as carry any variance.

    Attributes:
        mean: float32 [D]; None before `fit`, as are all that follow.
        projection: float32 [D, D'].
        model_fingerprint: Fingerprint of the model whose embeddings it takes.
        provenance: Embeddings it was fitted on, and their provenance.
    """

    kind: ClassVar[str]

    def __init__(self, dimension: int | None = None):
        if dimension is not None and dimension < 1:
            raise UserError("a whitening to 1 dimension or more", f"{dimension}", "Choose a larger dimension.")
        self.dimension = dimension
        self.mean = self.projection = self.model_fingerprint = None
        self.provenance: dict[str, Any] = {}

    @property
    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the model's fingerprint and the map."""
        self._check_fitted()
        digest = hashlib.sha256(self.model_fingerprint.encode())
        digest.update(self.mean.tobytes() + self.projection.tobytes())
        return digest.hexdigest()

    @property
    def description(self) -> str:
        """One line for protocol cards."""
        self._check_fitted()
        settings = "".join(f", {name} {value}" for name, value in self.settings.items() if name != "dimension")
        return f"{self.kind}, {self.projection.shape[0]} to {self.projection.shape[1]} dimensions{settings}"

    def transform(self, embeddings: EmbeddingSet) -> EmbeddingSet:
        """Returns the whitened embeddings [N, D'].

        Their provenance says so under `steps` and in the model's info, from which protocol cards take it.

        Raises:
            UserError: Embeddings of another model or dimension, a whitening that is not fitted, or an embedding equal to the
                mean, which has no direction.
        """
        self._check_fitted()
        check_same_model(len(self.mean), self.model_fingerprint, embeddings.dimension, embeddings.model_fingerprint)
        whitened = with_vectors(embeddings, embeddings.vectors @ self.projection - self.mean @ self.projection,
                             f"whitening: {self.description}")
        info = embeddings.provenance.get("model", {})
        before = info.get("whitening", "none")
        after = {"whitening": self.description if before == "none" else f"{before}, then {self.description}",
                 "whitening_learnt_on": self.provenance["fitted_on"], "dimension": whitened.dimension}
        return EmbeddingSet(whitened.ids, whitened.vectors, self.fingerprint,
                            {**whitened.provenance, "model": {**info, **after}})

    def save(self, path: str | Path) -> None:
        """Writes the folder: whole or not at all; one that exists is refused."""
        fingerprint = self.fingerprint
        with atomic_directory(path) as folder:
            write_npy(folder / "mean.npy", self.mean)
            write_npy(folder / "projection.npy", self.projection)
            write_json(folder / "whitening.json", {
                "kind": self.kind, "settings": self.settings, "fingerprint": fingerprint,
                "model_fingerprint": self.model_fingerprint, "provenance": self.provenance})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` wrote.

        Raises:
            UserError: No whitening of this kind there, or files that do not fit together.
        """
        path = Path(path)
        facts = read_json(path / "whitening.json", _FORM)
        try:
            if facts["kind"] != cls.kind:
                raise ValueError(f"one of kind {facts['kind']}, not {cls.kind}")
            whitening = cls(**facts["settings"])
            whitening.mean, whitening.projection = (read_npy(path / f"{name}.npy")
                                                    for name in ("mean", "projection"))
            whitening.model_fingerprint, whitening.provenance = facts["model_fingerprint"], facts["provenance"]
            if whitening.fingerprint != facts["fingerprint"]:
                raise ValueError("arrays that are not those of whitening.json")
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UserError(f"a whitening at {path}", str(error), "Fit it again.") from error
        return whitening

    def _learned(self, embeddings: EmbeddingSet, mean: np.ndarray, projection: np.ndarray, **facts: Any) -> Self:
        self.mean, self.projection = mean.astype(np.float32), np.ascontiguousarray(projection, np.float32)
        self.model_fingerprint = embeddings.model_fingerprint
        images = str(embeddings.provenance.get("photographs_sha256", "not stated"))[:12]
        self.provenance = {"fitted_on": f"{len(embeddings)} embeddings of photographs with checksum {images}",
                           "mean": "of these embeddings", **facts, "embeddings": embeddings.provenance,
                           "versions": versions()}
        return self

    def _check_fitted(self):
        if self.mean is None:
            raise UserError("a fitted whitening", "a new one", "Call fit or load first.")


def numerical_rank(variances: np.ndarray) -> int:
    """Returns how many variances are more than the rounding of float32 unit vectors: 1e-10 of the largest, and 1e-14.

    Args:
        variances: Eigenvalues of a covariance of embeddings, [D], in any order.
    """
    return int(np.sum(variances > max(1e-10 * variances.max(), 1e-14)))


class PCAWhitening(Whitening):
    """PCA whitening: the leading principal directions, each divided by a power of its variance.

    Power 0.5 is full whitening (Jegou and Chum, ECCV 2012): equal variance everywhere, noise included. 0 is a plain rotation
    and cut. 0.25 stands between (Revaud et al., ICCV 2019) and is the usual choice for embeddings.

    Args:
        dimension: D', the dimensions that remain; None for as many as carry any variance.
        power: Exponent of the variance, from 0 to 0.5.

    Example:
        >>> vectors = np.random.default_rng(0).normal(size=[50, 8])
        >>> vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        >>> embeddings = EmbeddingSet([str(row) for row in range(50)], vectors.astype(np.float32), "model")
        >>> PCAWhitening(dimension=4).fit(embeddings).transform(embeddings).dimension
        4
    """

    kind: ClassVar[str] = "PCA"

    def __init__(self, dimension: int | None = None, power: float = 0.25):
        super().__init__(dimension)
        if not 0 <= power <= 0.5:
            raise UserError("a power from 0 to 0.5", f"{power}", "0 only rotates, 0.5 whitens fully.")
        self.power = float(power)

    @property
    def settings(self) -> dict[str, Any]:
        return {"dimension": self.dimension, "power": self.power}

    def fit(self, embeddings: EmbeddingSet) -> Self:
        """Learns the map from embeddings of photographs that are neither queries nor index images.

        Raises:
            UserError: Embeddings that span fewer directions than asked for: the others would be noise, hugely enlarged.
        """
        vectors = embeddings.vectors.astype(np.float64)
        asked, rank = self.dimension or 1, 0
        if len(vectors) > 1:
            with np.errstate(invalid="ignore"):  # scikit-learn's ratio, where nothing varies
                pca = PCA(svd_solver="covariance_eigh").fit(vectors)
            variances = pca.explained_variance_
            rank = numerical_rank(variances)
        if rank < asked:
            raise UserError(f"embeddings that vary in {asked} directions or more",
                            f"{len(embeddings)} of dimension {embeddings.dimension} that vary in {rank}",
                            "Fit on more photographs, or keep fewer dimensions.")
        kept = slice(self.dimension or rank)
        return self._learned(embeddings, pca.mean_, pca.components_[kept].T / variances[kept] ** self.power,
                            variance_kept=float(variances[kept].sum() / variances.sum()))


class LearnedWhitening(Whitening):
    """Whitens what differs within landmarks, then keeps the directions in which all photographs differ most.

    With C_S the mean of (q - p)(q - p)^T over matching pairs and C_D the covariance of all embeddings, the projection is
    C_S^(-1/2) V, V the leading eigenvectors of C_S^(-1/2) C_D C_S^(-1/2) (Radenovic, Tolias, Chum, ECCV 2016, section 3.3;
    TPAMI 2019). Two choices: C_D is taken over all embeddings, as in the authors' code, where the paper takes
    pairs that do not match; and the mean is that of all embeddings, where their code takes the first of each pair only. Both
    decompositions are symmetric ones (`eigh`), so nothing turns complex.

    It takes many landmarks: with 29 of them and 1280 dimensions it learns those landmarks and ends below the embeddings as
    they were. A PCA of power 0 to fewer dimensions before it mends most of that.

    Args:
        dimension: D', the dimensions that remain; None for all.
    """

    kind: ClassVar[str] = "learnt from pairs"

    @property
    def settings(self) -> dict[str, Any]:
        return {"dimension": self.dimension}

    def fit(self, embeddings: EmbeddingSet, pairs: Sequence[tuple[str, str]]) -> Self:
        """Learns the map from embeddings of photographs that are neither queries nor index images.

        Args:
            embeddings: Embeddings of all images.
            pairs: Two ids each, of different photographs of one landmark.

        Raises:
            UserError: A pair without an embedding, more dimensions asked for than there are, or pairs whose differences
                leave a direction out: it would be divided by zero.
        """
        if self.dimension is not None and self.dimension > embeddings.dimension:
            raise UserError(f"a whitening to {embeddings.dimension} dimensions or fewer", f"{self.dimension}",
                            "Keep fewer dimensions.")
        vectors = embeddings.vectors.astype(np.float64)
        mean = vectors.mean(axis=0)
        within = _inverse_root(_pair_covariance(embeddings, vectors, pairs), len(pairs))
        _, directions = np.linalg.eigh(np.cov((vectors - mean) @ within, rowvar=False, bias=True).reshape(len(mean), -1))
        projection = within @ directions[:, ::-1][:, :self.dimension]
        return self._learned(embeddings, mean, projection, pairs=len(pairs))


def _pair_covariance(embeddings: EmbeddingSet, vectors: np.ndarray, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    if not pairs:
        raise UserError("pairs of photographs of one landmark", "none", "Give some.")
    row_of = {image_id: row for row, image_id in enumerate(embeddings.ids)}
    unknown = next((image_id for pair in pairs for image_id in pair if image_id not in row_of), None)
    if unknown is not None:
        raise UserError("an embedding for both photographs of every pair", f"none for {unknown}", "Leave that pair out.")
    first, second = (vectors[[row_of[pair[side]] for pair in pairs]] for side in (0, 1))
    differences = first - second
    return differences.T @ differences / len(pairs)


def _inverse_root(covariance: np.ndarray, pairs: int) -> np.ndarray:
    values, directions = np.linalg.eigh(covariance)
    rank = numerical_rank(values)
    if rank < len(values):
        raise UserError(f"pairs whose differences span all {len(values)} dimensions", f"{pairs} pairs that span {rank}",
                        "Give more pairs, or keep fewer dimensions by a PCA before.")
    return directions / np.sqrt(values) @ directions.T


_KINDS = {whitening.kind: whitening for whitening in (PCAWhitening, LearnedWhitening)}


def load_whitening(path: str | Path) -> Whitening:
    """Reads a folder that `Whitening.save` wrote; anything else is a UserError."""
    kind = read_json(Path(path) / "whitening.json", _FORM)["kind"]
    if kind not in _KINDS:
        raise UserError(f"a whitening of kind {' or '.join(_KINDS)} at {path}", f"{kind!r}", "Fit it again.")
    return _KINDS[kind].load(path)


def matching_pairs(ids: Sequence[str], landmarks: Mapping[str, str], count: int = 20_000,
                   seed: int = 0) -> list[tuple[str, str]]:
    """Draws pairs of different photographs of the same landmark; a pair may come twice.

    The first is drawn evenly from all photographs that have a partner, the second evenly from its partners.

    Args:
        ids: The photographs that may be drawn.
        landmarks: Photograph id to landmark; photographs that are not in it are left aside.
        count: Number of pairs.
        seed: Random seed of the draw.

    Raises:
        UserError: No landmark with two photographs.
    """
    images = defaultdict(list)
    for image_id in ids:
        if image_id in landmarks:
            images[landmarks[image_id]].append(image_id)
    groups = [group for group in images.values() if len(group) > 1]
    if not groups:
        raise UserError("a landmark with two photographs or more", f"none among {len(ids)} photographs",
                        "Check that the ids of the landmarks are those of the embeddings.")
    random = np.random.default_rng(seed)
    sizes = np.array([len(group) for group in groups])
    drawn = random.choice(len(groups), count, p=sizes / sizes.sum())
    first = random.integers(sizes[drawn])
    second = (first + random.integers(1, sizes[drawn])) % sizes[drawn]
    return [(groups[group][a], groups[group][b]) for group, a, b in zip(drawn, first, second, strict=True)]


def fit_on_images(saved_model: str | Path, images: Sequence[ImageRef], dimension: int, power: float,
                  folder: str | Path) -> PCAWhitening:
    """Embeds images and fits a PCA to them; bad images are left out.

    Args:
        saved_model: The exported model, without the whitening.
        images: Images that are neither queries nor index images of a benchmark.
        dimension: D', the dimensions that remain.
        power: From 0 to 0.5; see `PCAWhitening`.
        folder: Folder that the embeddings are written to.

    Raises:
        UserError: No usable photograph, or fewer directions in their embeddings than asked for.
    """
    whitening = PCAWhitening(dimension, power)
    return whitening.fit(embed(SavedModel(saved_model), images, folder))
