"""Measures landmark recognition: a trained classifier on records, or a submission to the GLDv2 recognition challenge.

    python -m experiments.recognition --workdir=DIR --records=DIR --part=test --output=DIR
    python -m experiments.recognition --submission=FILE.csv --solution=recognition_solution_v2.1.csv --output=DIR

The first writes accuracy (result.json), confusion.csv (rows true landmark, columns predicted), predictions.csv and
index.html; the second writes the global average precision with its protocol card (metrics.json).
"""

import math
from pathlib import Path

from absl import flags
from sklearn.metrics import confusion_matrix

from landmark_zoo.core.errors import MAX_SEED, UserError
from landmark_zoo.core.files import read_json, sha256, write_csv, write_json
from landmark_zoo.core.provenance import git_commit, resolved_flags, versions
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.input_pipeline import VIEWS, evaluation_dataset
from landmark_zoo.data.manifest import LabelMap, read_manifest
from landmark_zoo.evaluation.recognition import RecognitionBenchmark, predict_landmarks
from landmark_zoo.evaluation.results import INTERVAL
from landmark_zoo.metrics.bootstrap import bootstrap_interval
from landmark_zoo.report.report import write_recognition_page
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import LABELS_FILE, read_model

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the training run.")
_RECORDS = flags.DEFINE_string("records", None, "Folder of experiments.prepare.")
_PART = flags.DEFINE_enum("part", "test", ["train", "validation", "test"], "Split of the records that is measured.")
_VIEW = flags.DEFINE_enum("view", "stretch", VIEWS, "Rule that makes a square of an image.")
_SIZE = flags.DEFINE_integer("image_size", None, "Side of the square, pixels; unset for that of the training.",
                             lower_bound=32, upper_bound=8192)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Images per batch.", lower_bound=1, upper_bound=65_536)
_SUBMISSION = flags.DEFINE_string("submission", None, "Instead of --workdir and --records: csv file with columns id and "
                                  "landmarks, a landmark and a confidence in each cell.")
_SOLUTION = flags.DEFINE_string("solution", None, "With --submission: recognition_solution.csv, columns id, landmarks, "
                                "Usage.")
_NAME = flags.DEFINE_string("name", None, "With --submission: name of the result; the submission's file name by default.")
_SEED = flags.DEFINE_integer("seed", 0, "Random seed of the bootstrap intervals.", lower_bound=0, upper_bound=MAX_SEED)
_OUTPUT = define_output("output", None, "Folder of the result.", required=True)


def main(_):
    """Checks which of the two is asked for and measures it."""
    classifier = (_WORKDIR.value, _RECORDS.value)
    submission = (_SUBMISSION.value, _SOLUTION.value)
    if any(classifier) == any(submission) or not (all(classifier) or all(submission)):
        given = [f"--{flag.name}" for flag in (_WORKDIR, _RECORDS, _SUBMISSION, _SOLUTION) if flag.value]
        raise UserError("--workdir with --records, or --submission with --solution", " and ".join(given) or "none of them",
                        "Name a trained classifier and its records, or two csv files.")
    measure_submission() if _SUBMISSION.value else measure_classifier()


def measure_classifier() -> None:
    """Recognises the landmarks of one split; writes accuracy, confusion matrix, predictions and page."""
    manifest = read_manifest(Path(_RECORDS.value) / _PART.value)
    if LabelMap.load(Path(_WORKDIR.value) / LABELS_FILE).fingerprint != manifest.label_map.fingerprint:
        raise UserError(f"the landmarks that {_WORKDIR.value} was trained on", f"others in {_RECORDS.value}",
                        "Use the records of that run.")
    config, facts = read_model(_WORKDIR.value)
    model = config.build(facts["num_classes"])
    if "logits" not in model.output:
        raise UserError("a model with a head", config.model, "Only classifiers recognise.")
    step = load_weights(model, _WORKDIR.value, "latest")  # the best one is chosen by retrieval of other landmarks
    flag_values = read_json(Path(_WORKDIR.value) / "flags.json", {"image_size": int | None})
    size = _SIZE.value or flag_values.get("image_size") or 224
    batches = evaluation_dataset(manifest, image_size=size, batch_size=_BATCH_SIZE.value, view=_VIEW.value)
    steps = math.ceil(manifest.num_examples / _BATCH_SIZE.value)
    labels, predictions, probabilities = predict_landmarks(model, batches, steps)

    names, output = list(manifest.label_map), Path(_OUTPUT.value)
    counts = confusion_matrix(labels, predictions, labels=range(len(names)))
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


def measure_submission() -> None:
    """Measures the global average precision of a submission (Weyand et al., CVPR 2020); writes metrics.json."""
    benchmark = RecognitionBenchmark.read(_SOLUTION.value)
    predictions = benchmark.read_submission(_SUBMISSION.value)
    metrics, counts = benchmark.measure(predictions, _SEED.value), benchmark.counts(predictions)
    output = Path(_OUTPUT.value)
    write_json(output / "flags.json", resolved_flags())
    write_json(output / "metrics.json", {
        "name": _NAME.value or Path(_SUBMISSION.value).stem, "benchmark": benchmark.name, "protocol": "gldv2_recognition",
        "metrics": metrics, **counts, "card": {
            "benchmark": benchmark.name, "protocol": "gldv2_recognition",
            "ground_truth_sha256": benchmark.ground_truth_sha256, "submission_sha256": sha256(_SUBMISSION.value),
            "average_precision": "global: one list over all photographs, divided by those that show a landmark; equal "
                                 "confidences by id, then by landmark",
            **counts, "interval": INTERVAL, "seed": _SEED.value, "versions": versions(), "git_commit": git_commit()}})
    for name, metric in metrics.items():
        print(f"{name:12}  {100 * metric['value']:6.2f}  [{100 * metric['low']:6.2f}, {100 * metric['high']:6.2f}]  "
              f"{metric['queries']:6d} photographs")
    print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))


if __name__ == "__main__":
    run(main)
