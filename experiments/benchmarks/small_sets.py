"""Small sets of landmarks, trained as `experiments.train` does by default and measured on landmarks they do not hold."""

import gc
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_csv, write_json
from landmark_zoo.data.datasets.image_list import ImageList
from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.writer import write_records
from landmark_zoo.metrics.bootstrap import clustered_bootstrap_interval
from landmark_zoo.training.checkpoints import load_weights, read_selection
from landmark_zoo.training.history import read_model
from landmark_zoo.training.unseen_landmarks import UnseenLandmarks

TEST_IMAGES, TEST_SIDE, MIN_TEST_LANDMARKS = 40, 224, 5
HEADER = ("set", "images", "kept_out", "steps", "start", "kept_step", "kept", "gain", "low", "high", "last", "last_gain")


@dataclass(frozen=True)
class SmallSet:
    """A small set of images that is cut from a larger one.

    Attributes:
        landmarks: Number of landmarks.
        images: Largest number of images of each.
        noise: Share of the images that get the landmark of another one.
    """

    landmarks: int
    images: int
    noise: float = 0.0

    @property
    def name(self) -> str:
        """Name of its folder and row, e.g. "10x20" or "15x30-noise0.2"."""
        return f"{self.landmarks}x{self.images}" + (f"-noise{self.noise:g}" if self.noise else "")


SETS = (SmallSet(3, 60), SmallSet(5, 30), SmallSet(8, 20), SmallSet(8, 60), SmallSet(10, 8), SmallSet(10, 20),
        SmallSet(10, 60), SmallSet(12, 15), SmallSet(15, 10), SmallSet(15, 40), SmallSet(20, 8), SmallSet(20, 25),
        SmallSet(20, 60), SmallSet(15, 30, noise=0.2))


def cut(images: ImageList, small: SmallSet, seed: int) -> tuple[ImageList, ImageList]:
    """Draws a small set, and up to `TEST_IMAGES` images of every landmark that is not in it.

    Args:
        images: Images to draw from.
        small: Size and noise of the set.
        seed: Seed of the draw.

    Returns:
        The set, with wrong landmarks where it has noise, and the test images.

    Raises:
        UserError: Too few landmarks.
    """
    random = np.random.default_rng([seed, small.landmarks, small.images])
    names = [name for name, count in sorted(images.landmark_counts.items()) if count > 1]
    if len(names) < small.landmarks + MIN_TEST_LANDMARKS:
        raise UserError(f"{small.landmarks + MIN_TEST_LANDMARKS} landmarks with two images or more for the set {small.name}",
                        str(len(names)), "Give more photographs, or leave the set out with --sets.")
    names = random.permutation(names).tolist()
    shuffled = [images.entries[place] for place in random.permutation(len(images))]
    chosen, test = (_first(shuffled, part, limit) for part, limit in
                    ((names[:small.landmarks], small.images), (names[small.landmarks:], TEST_IMAGES)))
    wrong = random.permutation(len(chosen))[:round(small.noise * len(chosen))]
    mislabelled = {place: chosen[other].landmark_id for place, other in zip(wrong, np.roll(wrong, 1), strict=True)}
    chosen = [replace(entry, landmark_id=mislabelled.get(place, entry.landmark_id)) for place, entry in enumerate(chosen)]
    return replace(images, entries=tuple(chosen), missing=()), replace(images, entries=tuple(test), missing=())


def _first(entries: Iterable, landmarks: Sequence[str], limit: int) -> list:
    counts = dict.fromkeys(landmarks, 0)
    found = []
    for entry in entries:
        if counts.get(entry.landmark_id, limit) < limit:
            counts[entry.landmark_id] += 1
            found.append(entry)
    return found


def measure_small_sets(images: ImageList, names: Sequence[str], seeds: int, flags: Sequence[str], output: str | Path) -> str:
    """Trains every small set with every seed and measures start, kept and last weights on the landmarks outside it.

    Started again, it goes on where it was.

    Args:
        images: Images to draw from.
        names: Names of `SETS`; empty for all.
        seeds: Number of draws of each set, with seeds 0, 1, ...
        flags: Flags of `experiments.train`: model, weights, and what shall not be by default.
        output: Gets a folder for each set, `small_sets.csv` and the table.

    Returns:
        The table, mean average precision in per cent.
    """
    known = {small.name: small for small in SETS}
    if unknown := sorted(set(names) - known.keys()):
        raise UserError(f"--sets among {', '.join(known)}", ", ".join(unknown), "Mend --sets.")
    rows = []
    for small in (known[name] for name in names or known):
        for seed in range(seeds):
            folder = Path(output) / f"{small.name}-seed{seed}"
            if not (folder / "row.json").exists():
                write_json(folder / "row.json", _measured(images, small, seed, flags, folder))
                tf.keras.backend.clear_session()
                gc.collect()
            rows.append(read_json(folder / "row.json", dict))
    write_csv(Path(output) / "small_sets.csv", HEADER, ([row[name] for name in HEADER] for row in rows))
    lines = [HEADER, *([_cell(row[name]) for name in HEADER] for row in rows)]
    return "\n".join("".join(f"{cell:>16}" for cell in line) for line in lines)


def _cell(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _measured(images: ImageList, small: SmallSet, seed: int, flags: Sequence[str], folder: Path) -> dict[str, object]:
    chosen, test = cut(images, small, seed)
    table = folder / "photos.csv"
    write_csv(table, ["id", "path", "landmark"], ([entry.id, entry.path, entry.landmark_id] for entry in chosen))
    _run("experiments.prepare", "--source=table", f"--photos={table}", f"--output={folder}/records", f"--seed={seed}")
    _run("experiments.train", f"--records={folder}/records", f"--workdir={folder}/training", f"--seed={seed}", *flags)
    manifest = write_records(test, folder / "test", split="test", num_shards=4, seed=0, max_side=512)
    index = read_record_index(manifest)
    unseen = UnseenLandmarks(manifest, index, np.arange(manifest.num_examples), TEST_SIDE, 32)
    config, facts = read_model(folder / "training")
    model = config.build(facts["num_classes"])
    embed = tf.function(lambda batch: model(batch, training=False)["embedding"], reduce_retracing=True)
    precisions, steps = {}, {}
    for which in ("initial", "kept", "latest"):
        steps[which] = load_weights(model, folder / "training", which)
        precisions[which] = 100 * unseen.measure(embed, config.embedding_dim)["retrieval_map"]
    gain, low, high = clustered_bootstrap_interval(precisions["kept"] - precisions["initial"], unseen.labels)
    selection = read_selection(folder / "training")
    return {"set": f"{small.name}-seed{seed}", "images": len(chosen), "kept_out": selection["landmarks"] if selection else 0,
            "steps": steps["latest"], "kept_step": steps["kept"], "gain": gain, "low": low, "high": high,
            "last_gain": float((precisions["latest"] - precisions["initial"]).mean()),
            **{name: float(precisions[which].mean())
               for name, which in (("start", "initial"), ("kept", "kept"), ("last", "latest"))}}


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=False)
    if done.returncode:
        sys.exit(done.returncode)
