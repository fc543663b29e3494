"""Training losses: plain functions of logits or embeddings and labels, in float32.

Cross-entropy and its relatives give one number per image, the losses of tuples one per tuple, the losses on pairs of a
batch one scalar. The names that `--objective` takes are in `landmark_zoo.training.objectives`.

Example:
    >>> from landmark_zoo import losses
    >>> float(losses.contrastive_loss([[1.0, 0.0], [1.0, 0.0]], [7, 7], margin=0.85))
    0.0
"""

from landmark_zoo.core.lazy import attach

_MODULES = {
    "cross_entropy": ("attention_branch_loss", "class_weights", "delg_loss", "softmax_cross_entropy"),
    "distillation": ("embedding_loss", "similarity_loss"), "listwise_ap": ("listwise_ap_loss",),
    "pairs": ("batch_triplet_loss", "contrastive_loss", "pairwise_distances"),
    "tuples": ("second_order_similarity", "tuple_contrastive_loss", "tuple_triplet_loss")}

__getattr__, __dir__, __all__ = attach(__name__, {
    name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names})
