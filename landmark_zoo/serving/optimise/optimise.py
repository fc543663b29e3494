"""The fastest variant of an exported model that still gives its embeddings."""

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, write_json
from landmark_zoo.core.in_child_process import in_child_process
from landmark_zoo.serving.model_card import CARD_FILE, write_card
from landmark_zoo.serving.optimise.measured import LoadedVariant, milliseconds, smallest_cosine
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant

COSINE = 0.999
AS_EXPORTED = "as exported"


@dataclasses.dataclass(frozen=True)
class VariantResult:
    """What was found for one variant.

    Attributes:
        name: Of `VARIANTS`, or "as exported".
        cosine: The smallest between its embeddings and those of the model as exported.
        milliseconds: Median per picture by `serving_default`; None where it was not measured.
        megabytes: Size on disk.
        normalisations_folded: In all functions of the graph.
        convolutions_in_16_bits: Likewise.
    """

    name: str
    cosine: float
    milliseconds: float | None
    megabytes: float
    normalisations_folded: int = 0
    convolutions_in_16_bits: int = 0


def optimise(saved_model: str | Path, directory: str | Path, target: str, pictures: Sequence[bytes],
             cosine: float = COSINE) -> tuple[Path, str, list[VariantResult]]:
    """Tries the variants for a target and writes the fastest that keeps the embeddings.

    Args:
        saved_model: `<name>/<version>`.
        directory: `<name>` of the faster model; it becomes the next version there, with `optimised.json` beside it.
        target: "cpu" or "gpu". Without a GPU nothing can be measured for it, and the first that keeps the embeddings is
            taken: bfloat16, float16, float32.
        pictures: Encoded pictures to compare and to time on.
        cosine: How near to the float32 embedding every picture's must stay.

    Returns:
        The folder written, the name of the variant, and what was found for all.

    Raises:
        UserError: No pictures, no readable SavedModel, or one too large for a graph.
    """
    if not pictures:
        raise UserError("pictures to compare embeddings on", "none", "Check --pictures.")
    directory = Path(directory)
    versions = [int(path.name) for path in directory.glob("*") if path.name.isdecimal()]
    path = directory / str(max(versions, default=0) + 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".variants.") as folder:
        counts = {name: in_child_process(write_variant, saved_model, Path(folder) / name, variant)
                  for name, variant in VARIANTS[target].items()}
        models = {AS_EXPORTED: LoadedVariant(saved_model), **{name: LoadedVariant(Path(folder) / name) for name in counts}}
        results = _results(models, counts, pictures, timed=target == "cpu" or bool(tf.config.list_physical_devices("GPU")))
        chosen = _choice(results, cosine)
        with atomic_directory(path) as temporary:
            shutil.copytree(models[chosen].path, temporary, dirs_exist_ok=True)
            _write_facts(Path(saved_model), temporary, target, chosen, results)
    return path, chosen, results


def _results(models: dict[str, LoadedVariant], counts: dict, pictures: Sequence[bytes], timed: bool) -> list[VariantResult]:
    expected = np.stack([models[AS_EXPORTED].embed(picture) for picture in pictures])
    times = milliseconds(models, pictures) if timed else {}
    return [VariantResult(name, smallest_cosine(model, pictures, expected), times.get(name), model.megabytes,
                          **counts.get(name, {})) for name, model in models.items()]


def _choice(results: Sequence[VariantResult], cosine: float) -> str:
    good = [result for result in results if result.cosine > cosine or result.name == AS_EXPORTED]
    if all(result.milliseconds is None for result in good):
        return next((result.name for result in good if result.name != AS_EXPORTED), AS_EXPORTED)
    return min(good, key=lambda result: result.milliseconds).name


def _write_facts(source: Path, folder: Path, target: str, chosen: str, results: Sequence[VariantResult]) -> None:
    facts = {"target": target, "variant": chosen, "tried": [dataclasses.asdict(result) for result in results]}
    write_json(folder / "optimised.json", facts)
    if (source / CARD_FILE).exists():
        card = read_json(source / CARD_FILE)
        found = next(result for result in results if result.name == chosen)
        card["optimised"], card["megabytes"] = facts, round(found.megabytes, 2)
        if found.milliseconds is not None:
            card["speed"] |= {"milliseconds_per_picture": round(found.milliseconds, 2),
                              "measured": "when optimised, by serving_default(), decoding included"}
        write_card(folder, card)
