"""Which class is taken for which."""

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts predictions by true class.

    Args:
        labels: int [N], 0 .. num_classes - 1.
        predictions: int [N], the same range.
        num_classes: K.

    Returns:
        int64 [K, K]: row true class, column predicted class. Its trace over its sum is the accuracy.

    Raises:
        ValueError: Unequal lengths or a class outside the range.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError(f"Expected two vectors of one length; received shapes {labels.shape} and {predictions.shape}.")
    for name, values in (("labels", labels), ("predictions", predictions)):
        if values.size and not 0 <= values.min() <= values.max() < num_classes:
            raise ValueError(f"Expected {name} from 0 to {num_classes - 1}; received {values.min()} to {values.max()}.")
    counts = np.bincount(labels.astype(np.int64) * num_classes + predictions, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)
