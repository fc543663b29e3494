"""Ranking by diffusion on the graph of the index."""

from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import cg

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, write_json, write_npy
from landmark_zoo.core.progress import progress
from landmark_zoo.retrieval.affinity_graph import affinity_graph
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.neighbours import neighbours as nearest

_GRAPH = ("data", "indices", "indptr")


class Diffusion:
    """Ranks index images by (I - alpha S)^(-1) y (Iscen, Tolias, Avrithis, Furon, Chum, CVPR 2017).

    S is the `affinity_graph` of the index images alone: no query is ever a node, and each is ranked by itself. y holds
    max(s, 0)^gamma of the query's first neighbours. As there, the system is cut to the images most similar to the query,
    with S normalised before the cut, and solved by a few steps of conjugate gradients. Images that the graph does not reach
    follow in the order of similarity, and so do those that the cut leaves out.

    On disk it is a folder: the index images as an `EmbeddingSet`, the graph as `data.npy`, `indices.npy`, `indptr.npy`
    (compressed rows) and `diffusion.json`.

    Args:
        neighbours: Of each index image in the graph.
        query_neighbours: Of the query.
        gamma: Exponent of the similarities.
        alpha: How far it walks, between 0 and 1.
        truncation: To how many index images the system is cut.
        iterations: Steps of conjugate gradients at most; they end before at a relative residual of 1e-6.

    Raises:
        UserError: A setting out of its range.
    """

    def __init__(self, neighbours: int = 50, query_neighbours: int = 10, gamma: float = 3.0, alpha: float = 0.99,
                 truncation: int = 1000, iterations: int = 20):
        self.settings = {"neighbours": neighbours, "query_neighbours": query_neighbours, "gamma": gamma, "alpha": alpha,
                         "truncation": truncation, "iterations": iterations}
        if min(neighbours, query_neighbours, truncation, iterations) < 1 or gamma <= 0 or not 0 < alpha < 1:
            raise UserError("counts of 1 or more, gamma above 0 and alpha between 0 and 1", f"{self.settings}",
                            "Mend the settings.")
        self.neighbours, self.query_neighbours, self.gamma = neighbours, query_neighbours, gamma
        self.alpha, self.truncation, self.iterations = alpha, truncation, iterations
        self.index: EmbeddingSet | None = None
        self.graph: csr_array | None = None

    def fit(self, index: EmbeddingSet) -> Self:
        """Builds the graph of the index images."""
        self.index, self.graph = index, affinity_graph(*nearest(index, index, self.neighbours), self.gamma)
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
            similarities: Of the query to them, at least as many as count: [query_neighbours or more].
        """
        start = np.zeros(len(rows))
        first = np.maximum(similarities[:min(self.query_neighbours, len(rows))], 0)
        start[:len(first)] = first.astype(np.float64) ** self.gamma
        system = eye_array(len(rows), format="csr") - self.alpha * self.graph[rows][:, rows]
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
            write_json(folder / "diffusion.json", {"settings": self.settings, "edges": self.graph.nnz})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` wrote; one whose files do not fit together is a UserError."""
        path = Path(path)
        facts: dict[str, Any] = read_json(path / "diffusion.json")
        index = EmbeddingSet.load(path)
        try:
            diffusion = cls(**facts["settings"])
            arrays = tuple(np.load(path / f"{name}.npy", allow_pickle=False) for name in _GRAPH)
            graph = csr_array(arrays, shape=(len(index), len(index)))
            graph.check_format()
            if graph.nnz != facts["edges"]:
                raise ValueError(f"{graph.nnz} edges instead of {facts['edges']}")
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UserError(f"a diffusion at {path}", str(error), "Fit it again.") from error
        diffusion.index, diffusion.graph = index, graph
        return diffusion
