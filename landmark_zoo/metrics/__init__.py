"""Retrieval and recognition metrics on plain numpy arrays; nothing else is imported.

Ranks of the positives, 0-based and counted without junk, give average precision and precision at k; predictions with
confidences give the global average precision of recognition; the bootstrap puts intervals round their means.

Example:
    >>> from landmark_zoo import metrics
    >>> ranks = metrics.positive_ranks(["d", "a", "e", "b", "c"], positives={"a", "c"}, junk={"d"})
    >>> metrics.average_precision(ranks, positives=2, convention="finite_sum")
    0.75
"""

from landmark_zoo.core.lazy import attach

_MODULES = {
    "bootstrap": ("bootstrap_interval", "clustered_bootstrap_interval", "crossed_bootstrap_interval",
                  "percentile_interval"),
    "exact_ranks": ("dot_products", "leave_one_out_ranks", "ranks_by_counting"),
    "ranking": ("average_precision", "average_precision_at_k", "positive_ranks", "precision_at_k", "ranks_without_junk",
                "top_k"),
    "recognition": ("global_average_precision", "global_average_precision_interval", "recognition_order")}

__getattr__, __dir__, __all__ = attach(__name__, {
    name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names})
