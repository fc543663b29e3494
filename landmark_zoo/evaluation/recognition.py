"""Recognition on Google Landmarks Dataset v2: ground truth, submissions, global average precision."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_csv, sha256
from landmark_zoo.core.parallel import progress
from landmark_zoo.evaluation.results import LEVEL, RESAMPLES
from landmark_zoo.metrics.recognition import global_average_precision_interval

_NONE = {"", "None"}


@dataclass(frozen=True)
class RecognitionBenchmark:
    """Landmarks of each image of GLDv2 recognition (Weyand et al., CVPR 2020).

    Attributes:
        name: The solution file's name.
        landmarks: Image to its landmarks; empty where it shows none, which is a query as well.
        usage: Image to "Public" or "Private"; empty where the solution has no such parts.
        ignored: Images that the solution says to ignore.
        ground_truth_sha256: Checksum of the file.
    """

    name: str
    landmarks: Mapping[str, frozenset[int]]
    usage: Mapping[str, str]
    ignored: frozenset[str]
    ground_truth_sha256: str

    @classmethod
    def read(cls, path: str | Path) -> "RecognitionBenchmark":
        """Reads `recognition_solution.csv`: id, landmarks (with blanks between), and perhaps Usage.

        Raises:
            UserError: A missing file or column, a photograph twice, a landmark that is no number, no photograph that shows
                one.
        """
        landmarks, usage, ignored = {}, {}, set()
        for row in read_csv(path, ["id", "landmarks"]):
            image, part = check_relative(row["id"], path), row.get("Usage") or ""
            if image in landmarks or image in ignored:
                raise UserError(f"each photograph once in {path}", f"{image} twice", "Remove one.")
            if part == "Ignored":
                ignored.add(image)
                continue
            names = set(row["landmarks"].split()) - _NONE
            if not all(name.isdecimal() for name in names):
                raise UserError(f"landmarks as numbers for {image} in {path}", row["landmarks"], "Mend that line.")
            landmarks[image], usage[image] = frozenset(map(int, names)), part
        if not any(landmarks.values()):
            raise UserError(f"a photograph that shows a landmark in {path}", "none", "Check --solution.")
        return cls(Path(path).stem, landmarks, usage, frozenset(ignored), sha256(path))

    def read_submission(self, path: str | Path) -> dict[str, tuple[int, float]]:
        """Reads `id,landmarks` with a landmark and a confidence in each cell, or an empty cell for no prediction.

        Raises:
            UserError: A missing file or column, a photograph twice or unknown, a cell of another form.
        """
        predictions, seen = {}, set()
        for row in read_csv(path, ["id", "landmarks"]):
            image, words = row["id"], row["landmarks"].split()
            if image in seen or (image not in self.landmarks and image not in self.ignored):
                raise UserError(f"each photograph of {self.name} once in {path}",
                                f"{image} twice" if image in seen else f"{image}, which it does not have", "Mend the table.")
            seen.add(image)
            if words:
                predictions[image] = _prediction(words, image, path)
        return predictions

    def measure(self, predictions: Mapping[str, tuple[int, float]], seed: int = 0) -> dict[str, dict[str, float]]:
        """Returns GAP, on all images and by usage, each with its interval and its number of images."""
        metrics = {}
        for part in ("", *sorted(set(self.usage.values()) - {""}, reverse=True)):
            chosen = {image: found for image, found in self.landmarks.items() if part in ("", self.usage[image])}
            if any(chosen.values()):
                value, low, high = global_average_precision_interval(predictions, chosen, RESAMPLES, LEVEL, seed)
                name = f"GAP/{part}" if part else "GAP"
                metrics[name] = {"value": value, "low": low, "high": high, "queries": len(chosen)}
        return metrics

    def counts(self, predictions: Mapping[str, tuple[int, float]]) -> dict[str, int]:
        """Returns the numbers of images and predictions that count, and that do not."""
        return {"queries_used": len(self.landmarks), "with_landmark": sum(map(bool, self.landmarks.values())),
                "without_landmark": sum(not found for found in self.landmarks.values()),
                "queries_ignored": len(self.ignored), "predictions_used": len(predictions.keys() & self.landmarks.keys()),
                "predictions_ignored": len(predictions.keys() & self.ignored)}


def _prediction(words: list[str], image: str, path: str | Path) -> tuple[int, float]:
    try:
        landmark, confidence = int(words[0]), float(words[1])
        if len(words) != 2 or not math.isfinite(confidence):
            raise ValueError
    except (ValueError, IndexError) as error:
        raise UserError(f"a landmark and a confidence for {image} in {path}", repr(" ".join(words)[:60]),
                        "Write one prediction, such as 8815 0.03, or leave the cell empty.") from error
    return landmark, confidence


def predict_landmarks(model: tf.keras.Model, batches: tf.data.Dataset, total: int | None = None) -> tuple[np.ndarray, ...]:
    """Predicts the landmarks of labelled images by a model with a head.

    Args:
        model: Model whose outputs hold "logits"; see `models.build_model`.
        batches: Data set of (images [B, H, W, 3], labels [B]).
        total: Number of batches, for the progress line.

    Returns:
        Labels, predictions (int [N]) and the predictions' probabilities by softmax of the logits (float32 [N]).
    """
    @tf.function(reduce_retracing=True)
    def step(images):
        probabilities = tf.nn.softmax(tf.cast(model(images, training=False)["logits"], tf.float32))
        return tf.argmax(probabilities, axis=-1), tf.reduce_max(probabilities, axis=-1)

    columns = [(labels.numpy(), *(tensor.numpy() for tensor in step(images)))
               for images, labels in progress(batches, "recognising", total=total)]
    return tuple(np.concatenate(column) for column in zip(*columns, strict=True))
