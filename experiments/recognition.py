"""Says how well a trained classifier recognises landmarks.

    python -m experiments.recognition --workdir=DIR --records=DIR --part=test --output=DIR

Writes result.json, confusion.csv (rows true landmark, columns predicted), predictions.csv and index.html.
"""

import math
from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_csv, write_json
from landmark_zoo.core.provenance import git_commit, versions
from landmark_zoo.core.script import run
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import VIEWS, evaluation_dataset
from landmark_zoo.metrics.bootstrap import bootstrap_interval
from landmark_zoo.metrics.confusion_matrix import confusion_matrix
from landmark_zoo.report.recognition_page import write_recognition_page
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.recognise import recognise
from landmark_zoo.training.workdir import LABELS_FILE, read_model

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the training run.", required=True)
_RECORDS = flags.DEFINE_string("records", None, "Folder of experiments.prepare.", required=True)
_PART = flags.DEFINE_enum("part", "test", ["train", "validation", "test"], "Which of its records.")
_VIEW = flags.DEFINE_enum("view", "stretch", VIEWS, "How a photograph becomes a square.")
_SIZE = flags.DEFINE_integer("image_size", None, "Side of the square, pixels; unset for that of the training.",
                             lower_bound=32)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Photographs at a time.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "Folder of the result.", required=True)


def main(_):
    """Recognises, counts, writes."""
    manifest = read_manifest(Path(_RECORDS.value) / _PART.value)
    if LabelMap.load(Path(_WORKDIR.value) / LABELS_FILE).fingerprint != manifest.label_map.fingerprint:
        raise UserError(f"the landmarks that {_WORKDIR.value} was trained on", f"others in {_RECORDS.value}",
                        "Use the records of that run.")
    config, facts = read_model(_WORKDIR.value)
    model = config.build(facts["num_classes"])
    if "logits" not in model.output:
        raise UserError("a model with a head", config.model, "Only classifiers recognise.")
    step = load_weights(model, _WORKDIR.value)
    size = _SIZE.value or int(read_json(Path(_WORKDIR.value) / "flags.json").get("image_size", 224))
    batches = evaluation_dataset(manifest, image_size=size, batch_size=_BATCH_SIZE.value, view=_VIEW.value)
    labels, predictions, probabilities = recognise(model, batches, math.ceil(manifest.num_examples / _BATCH_SIZE.value))

    names, output = list(manifest.label_map), Path(_OUTPUT.value)
    counts = confusion_matrix(labels, predictions, len(names))
    accuracy, low, high = bootstrap_interval(labels == predictions)
    result = {"model": config.model, "part": _PART.value, "photographs": len(labels), "landmarks": len(names),
              "accuracy": accuracy, "low": low, "high": high, "view": _VIEW.value, "image_size": size, "step": step,
              "largest_landmark": float(counts.sum(axis=1).max() / len(labels)), "records": manifest.plan,
              "commit": git_commit(), "versions": versions()}
    write_csv(output / "confusion.csv", ["landmark", *names],
              ([name, *map(int, row)] for name, row in zip(names, counts, strict=True)))
    write_csv(output / "predictions.csv", ["landmark", "recognised_as", "probability"],
              ([names[label], names[taken], f"{sure:.6f}"]
               for label, taken, sure in zip(labels, predictions, probabilities, strict=True)))
    write_json(output / "result.json", result)
    page = write_recognition_page(output, result, counts, names, _WORKDIR.value)
    print(f"{config.model}: {100 * accuracy:.2f} % of {len(labels):,} photographs recognised "
          f"[{100 * low:.2f}, {100 * high:.2f}]; {page}")


if __name__ == "__main__":
    run(main)
