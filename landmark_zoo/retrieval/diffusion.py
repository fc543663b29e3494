"""Diffusion re-ranking: a random walk on the graph of nearest neighbors.

Sources: Iscen, Tolias, Avrithis, Furon, Chum: Efficient Diffusion on Region Manifolds, CVPR 2017; Yang, Hinami, Matsui, Ly,
Satoh: Efficient Image Retrieval via Decoupling Diffusion into Online and Offline Processing, AAAI 2019 (late truncation).
"""

from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.sparse.linalg import cg

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, check_sha256, read_json, read_npy, sha256, write_json, write_npy
from landmark_zoo.core.parallel import progress
from landmark_zoo.core.strict_json import check_form
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.exact import ExactIndex
from landmark_zoo.retrieval.index.exact import k_nearest_neighbors as nearest


def affinities(rows: np.ndarray, similarities: np.ndarray, gamma: float = 3.0) -> csr_array:
    """Returns W, sparse, symmetric, float64 [N, N] (Iscen et al., CVPR 2017, section 3).

    It holds max(s, 0)^gamma for two images that are among each other's neighbours, and 0 elsewhere and on the diagonal. An
    image without mutual neighbours has an empty row.

    Args:
        rows: The neighbours of each image, int [N, k].
        similarities: Their dot products, [N, k].
        gamma: The exponent, above 0.
    """
    count, k = rows.shape
    weights = np.where(rows == np.arange(count)[:, np.newaxis], 0, np.maximum(similarities, 0)).astype(np.float64) ** gamma
    directed = csr_array((weights.ravel(), rows.ravel(), np.arange(count + 1) * k), shape=(count, count))
    mutual = csr_array(directed.minimum(directed.T))
    mutual.eliminate_zeros()
    return mutual


def normalize_symmetrically(weights: csr_array) -> csr_array:
    """Returns S = D^(-1/2) W D^(-1/2), D the diagonal of the row sums of W [N, N]; empty rows stay empty."""
    degrees = weights.sum(axis=1)
    roots = diags_array(np.divide(1, np.sqrt(degrees), out=np.zeros(len(degrees)), where=degrees > 0))
    return csr_array(roots @ weights @ roots)


def affinity_graph(rows: np.ndarray, similarities: np.ndarray, gamma: float = 3.0) -> csr_array:
    """Returns the `affinities`, normalized symmetrically: sparse, float64 [N, N]."""
    return normalize_symmetrically(affinities(rows, similarities, gamma))


_GRAPH = ("data", "indices", "indptr")


class Diffusion:
    """Ranks index images by (I - alpha S)^(-1) y.

    S is the `affinity_graph` of the index images alone: no query is ever a node, and each is ranked by itself. y holds
    max(s, 0)^gamma of the query's first neighbours. The system is cut to the images most similar to the query and solved by
    a few steps of conjugate gradients. Images that the graph does not reach follow in the order of similarity, and so do
    those that the cut leaves out.

    Iscen et al. (CVPR 2017) cut the affinities and normalize what is left. Yang et al. (AAAI 2019) normalize all affinities
    and cut then, which they call late truncation; they do so for each index image, offline, where this solves the system
    of the query. Without a cut both are the same; a hard cut costs the latter little, the former much.

    On disk it is a folder: the index images as an `EmbeddingSet`, the graph as `data.npy`, `indices.npy`, `indptr.npy`
    (compressed rows; S, without late truncation W) and `diffusion.json`. Settings that do not name the truncation mean a
    late one.

    Args:
        neighbours: Number of neighbors of each index image in the graph.
        query_neighbours: Number of neighbors of the query.
        gamma: Exponent of the similarities.
        alpha: Probability of another step of the walk, between 0 and 1.
        truncation: To how many index images the system is cut.
        iterations: Steps of conjugate gradients at most; they end before at a relative residual of 1e-6.
        late_truncation: Whether the affinities are normalized before the cut, as by Yang et al., or after it, as by Iscen
            et al.

    Raises:
        UserError: A setting out of its range.
    """

    def __init__(self, neighbours: int = 50, query_neighbours: int = 10, gamma: float = 3.0, alpha: float = 0.99,
                 truncation: int = 1000, iterations: int = 20, late_truncation: bool = True):
        self.settings = {"neighbours": neighbours, "query_neighbours": query_neighbours, "gamma": gamma, "alpha": alpha,
                         "truncation": truncation, "iterations": iterations, "late_truncation": late_truncation}
        if min(neighbours, query_neighbours, truncation, iterations) < 1 or gamma <= 0 or not 0 < alpha < 1:
            raise UserError("counts of 1 or more, gamma above 0 and alpha between 0 and 1", f"{self.settings}",
                            "Mend the settings.")
        self.neighbours, self.query_neighbours, self.gamma = neighbours, query_neighbours, gamma
        self.alpha, self.truncation, self.iterations, self.late_truncation = alpha, truncation, iterations, late_truncation
        self.index: EmbeddingSet | None = None
        self.graph: csr_array | None = None

    def fit(self, index: EmbeddingSet) -> Self:
        """Builds the graph of the index images."""
        build = affinity_graph if self.late_truncation else affinities
        self.index, self.graph = index, build(*nearest(index, index, self.neighbours), self.gamma)
        return self

    def rank(self, queries: EmbeddingSet, depth: int = 100) -> list[list[str]]:
        """Returns the ids of the first `depth` index images for every query.

        Raises:
            UserError: Embeddings of another model, or no `fit` before.
        """
        if self.index is None:
            raise UserError("a diffusion with a graph", "a new one", "Call fit or load first.")
        self.index.check_model(queries.dimension, queries.model_fingerprint)
        found = ExactIndex.of(self.index).search_positions(queries.vectors, max(depth, self.truncation))
        rankings = []
        for rows, similarities in progress(zip(*found, strict=True), "diffusing", len(queries), unit="ranking"):
            cut = rows[:self.truncation]
            order = np.argsort(-self.scores(cut, similarities), kind="stable")
            ranking = np.concatenate([cut[order], rows[self.truncation:]])
            rankings.append([self.index.ids[row] for row in ranking[:depth]])
        return rankings

    def scores(self, rows: np.ndarray, similarities: np.ndarray) -> np.ndarray:
        """Solves the system cut to some index images; returns float64 [n].

        Args:
            rows: Index images, most similar first, int [n].
            similarities: Similarities of the query to them, at least as many as count: [query_neighbours or more].
        """
        start = np.zeros(len(rows))
        first = np.maximum(similarities[:min(self.query_neighbours, len(rows))], 0)
        start[:len(first)] = first.astype(np.float64) ** self.gamma
        graph = self.graph[rows][:, rows]
        graph = graph if self.late_truncation else normalize_symmetrically(graph)
        system = eye_array(len(rows), format="csr") - self.alpha * graph
        solution, _ = cg(system, start, rtol=1e-6, maxiter=self.iterations)
        return solution

    def save(self, path: str | Path) -> None:
        """Writes the folder: whole or not at all; one that exists is refused."""
        if self.index is None:
            raise UserError("a diffusion with a graph", "a new one", "Call fit first.")
        with atomic_directory(path) as folder:
            self.index.save(folder)
            for name in _GRAPH:
                write_npy(folder / f"{name}.npy", getattr(self.graph, name))
            write_json(folder / "diffusion.json", {
                "settings": self.settings, "edges": self.graph.nnz,
                "sha256": {f"{name}.npy": sha256(folder / f"{name}.npy") for name in _GRAPH}})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` wrote; one whose files do not fit together is a UserError."""
        path = Path(path)
        facts = read_json(path / "diffusion.json", {"settings": dict, "edges": int})
        kinds = {name: type(value) for name, value in cls().settings.items()}
        check_form({**cls().settings, **facts["settings"]}, kinds, path / "diffusion.json", "Fit it again.")
        index = EmbeddingSet.load(path)
        try:
            diffusion = cls(**facts["settings"])
            arrays = tuple(read_npy(path / f"{name}.npy") for name in _GRAPH)
            graph = csr_array(arrays, shape=(len(index), len(index)))
            graph.check_format()
            if graph.nnz != facts["edges"]:
                raise ValueError(f"{graph.nnz} edges instead of {facts['edges']}")
            check_sha256(path, facts.get("sha256", {}))  # those of earlier releases state none
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UserError(f"a diffusion at {path}", str(error), "Fit it again.") from error
        diffusion.index, diffusion.graph = index, graph
        return diffusion
