"""The neighbourhood graph of an index, as diffusion walks it."""

import numpy as np
from scipy.sparse import csr_array, diags_array


def affinity_graph(rows: np.ndarray, similarities: np.ndarray, gamma: float = 3.0) -> csr_array:
    """Returns S = D^(-1/2) W D^(-1/2), sparse, symmetric, float64 [N, N] (Iscen et al., CVPR 2017, section 3).

    W holds max(s, 0)^gamma for two images that are among each other's neighbours, and 0 elsewhere and on the diagonal; D is
    the diagonal of its row sums. An image without mutual neighbours has an empty row.

    Args:
        rows: The neighbours of each image, int [N, k].
        similarities: Their dot products, [N, k].
        gamma: The exponent, above 0.
    """
    count, k = rows.shape
    weights = np.where(rows == np.arange(count)[:, np.newaxis], 0, np.maximum(similarities, 0)).astype(np.float64) ** gamma
    directed = csr_array((weights.ravel(), rows.ravel(), np.arange(count + 1) * k), shape=(count, count))
    mutual = directed.minimum(directed.T)
    degrees = mutual.sum(axis=1)
    roots = diags_array(np.divide(1, np.sqrt(degrees), out=np.zeros(count), where=degrees > 0))
    graph = csr_array(roots @ mutual @ roots)
    graph.eliminate_zeros()
    return graph
