"""Quickstart: records, training, SavedModel, evaluation and report in one command. `make quickstart` runs it.

Without images it draws a small landmark collection and trains on that. Each step is a script of its own that can be
run by itself: the command lines are printed. Started again, it goes on where it was.
"""

import hashlib
import shlex
import subprocess
import sys
import time
from pathlib import Path

from absl import flags

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import MAX_SEED, UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.evaluation.results import closing_table

_PHOTOS = flags.DEFINE_string("photos", None, "Folder of images, one folder per landmark; unset: they are drawn.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with index.csv, test.csv and retrieval_solution.csv.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Pretrained weights of MobileNetV2, which then is the backbone: file, "
                               "folder or imagenet; unset: EfficientNet-Lite0 with those of an installed package.")
_OUTPUT = define_output("output", "runs/quickstart", "Folder of all results.")
_SEED = flags.DEFINE_integer("seed", 0, "Random seed of collection, split, weights and order.",
                             lower_bound=0, upper_bound=MAX_SEED)
_SMOKE = flags.DEFINE_boolean("smoke", False, "Make the smallest run of every step, on few small drawings.")
DEFAULT_BACKBONE = "efficientnetlite0"
OVERLAYS = 6
SMALLEST = ("--train_landmarks=6", "--train_views=8", "--benchmark_landmarks=4", "--index_views=4", "--query_views=2",
            "--distractors=8", "--long_side=128")


def main(_):
    """Checks the flags and runs the steps of the quickstart."""
    given = [name for name in ("photos", "benchmark", "weights") if flags.FLAGS[name].value]
    if given and _SMOKE.value:
        raise UserError("--smoke with drawings", f"--{given[0]}", "Leave one of them out.")
    if given and not {"photos", "benchmark"} <= set(given):
        raise UserError("--photos and --benchmark together, or none of them", f"only {', '.join(given)}",
                        "Give both: make quickstart PHOTOS=... BENCHMARK=...")
    missing = [path for name in given if not Path(path := flags.FLAGS[name].value).exists() and path != "imagenet"]
    if missing:
        raise UserError(f"{missing[0]} to exist", "no such file or folder", "Check the path.")
    (Images if given else Drawings)().run()


class Drawings:
    """The default run: a drawn collection in the layout of GLDv2, and a small network trained from nothing."""

    recipe, prepared, side = "quickstart_drawn", ("--source=gldv2", "--clean"), 160
    backbone = weights = None
    systems = (("untrained", "--workdir={run}/training --checkpoint=initial"),
               ("trained", "--workdir={run}/training"))

    def __init__(self):
        self.folder = Path(_OUTPUT.value) / self.key()
        self.photos = self.benchmark = self.folder / "collection"
        self.number, self.start = 0, time.monotonic()

    def key(self) -> str:
        """Names the folder of this run's steps."""
        name = "smoke" if _SMOKE.value else "drawn"
        return name if _SEED.value == 0 else f"{name}-{_SEED.value}"

    def run(self) -> None:
        """Runs every step and prints the table."""
        run_folder, seed = self.folder, f"--seed={_SEED.value}"
        self.obtain()
        self.step("Records", "prepare", f"--photos={self.photos}", f"--output={run_folder}/records", seed, *self.prepared)
        self.step("Training", "train", f"--flagfile=experiments/recipes/{self.recipe}.flags", seed,
                  f"--records={run_folder}/records", f"--workdir={run_folder}/training", *self.training())
        for name, source in self.systems:
            if not (run_folder / "models" / name / "1").exists():
                names = {"run": run_folder, "backbone": self.backbone, "weights": self.weights}
                self.step(f"SavedModel, {name}", "export.savedmodel", *(word.format(**names) for word in source.split()),
                          f"--output={run_folder}/models/{name}", f"--side={self.side}")
            self.step(f"Evaluation, {name}", "evaluate", f"--savedmodel={run_folder}/models/{name}", f"--name={name}",
                      f"--benchmark={self.benchmark}", f"--photos={self.photos}", f"--output={run_folder}/results/{name}")
        self.step("Attention", "attention", f"--workdir={run_folder}/training", f"--output={run_folder}/attention",
                  f"--side={self.side}", f"--image={','.join(self.queries())}")
        results = [run_folder / "results" / name for name, _ in self.systems]
        report = Path(_OUTPUT.value) / "report"
        self.step("Report", "report", f"--results={','.join(map(str, results))}", f"--workdir={run_folder}/training",
                  f"--records={run_folder}/records", f"--photos={self.photos}", f"--attention={run_folder}/attention",
                  f"--output={report}", "--unseen_landmarks")
        print(f"\n{closing_table(results)}\n\nReport: {report / 'index.html'}  ({time.monotonic() - self.start:.0f} s)")

    def obtain(self) -> None:
        """Draws the collection."""
        self.step("Drawing", "make_synthetic", f"--output={self.photos}", f"--seed={_SEED.value}",
                  *SMALLEST * _SMOKE.value)

    def training(self) -> tuple[str, ...]:
        """More flags of the training step."""
        return ("--smoke",) if _SMOKE.value else ()

    def queries(self) -> list[str]:
        """Images of different landmarks for the attention overlays."""
        rows = list(read_csv(self.benchmark / "test.csv", ["id"]))
        locator = ImageLocator(self.photos)
        return [str(locator.locate(row["id"])) for row in rows[::max(1, len(rows) // OVERLAYS)][:OVERLAYS]]

    def step(self, title: str, script: str, *arguments: str) -> None:
        """Runs one script in a process of its own; its failure ends the quickstart with the same exit code."""
        self.number += 1
        command = ["-m", script if "." in script else f"experiments.{script}", *arguments]
        seconds = time.monotonic() - self.start
        print(f"\n== {self.number}. {title}  ({seconds:.0f} s)\npython {shlex.join(command)}", flush=True)
        done = subprocess.run([sys.executable, *command], check=False)
        if done.returncode:
            sys.exit(done.returncode)


class Images(Drawings):
    """Real images and an ImageNet backbone; the benchmark's landmarks are kept out of training."""

    recipe, side = "quickstart_photographs", 352
    systems = (("off-the-shelf", "--model={backbone}_gem --embedding_dim=0 --weights={weights}"),
               ("off-the-shelf + PCA", "--workdir={run}/training --checkpoint=initial"),
               ("trained", "--workdir={run}/training"))

    def __init__(self):
        super().__init__()
        self.photos, self.benchmark = Path(_PHOTOS.value), Path(_BENCHMARK.value)
        self.prepared = (f"--exclude_benchmark={self.benchmark}", "--validation_fraction=0.05")
        self.backbone, self.weights = ("mobilenetv2", _WEIGHTS.value) if _WEIGHTS.value else (DEFAULT_BACKBONE, "imagenet")

    def key(self):
        inputs = [str(Path(flag.value).resolve()) for flag in (_PHOTOS, _BENCHMARK, _WEIGHTS) if flag.value]
        return f"photographs-{hashlib.sha256(repr((inputs, _SEED.value)).encode()).hexdigest()[:8]}"

    def obtain(self):
        """Looks for the weights before anything is done."""
        if not _WEIGHTS.value:
            BACKBONES[DEFAULT_BACKBONE].published.find()

    def training(self):
        return f"--model={self.backbone}_gc_add", f"--weights={self.weights}"


if __name__ == "__main__":
    run(main)
