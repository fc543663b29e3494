"""Analyzes a collection of images on one page: sizes, duplicates, balance, label noise.

    python -m experiments.analyze --data=DIR --output=DIR
    python -m experiments.analyze --data=DIR --savedmodel=DIR --benchmark=DIR --photos=DIR --output=DIR

The data are a folder of records, a folder laid out as Google Landmarks v2, one or several folders of folders, or a csv
file of photographs. Writes index.html, duplicates.csv, unreadable.csv and, with a model or embeddings, noise.csv. Started
again, it measures only what has changed.
"""

import contextlib
from pathlib import Path

import numpy as np
from absl import flags

from landmark_zoo.core.errors import MAX_SEED, UserError
from landmark_zoo.core.files import lock_directory
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.analysis.collection import Collection, measure_images
from landmark_zoo.data.analysis.findings import analyze_collection, read_countries
from landmark_zoo.data.analysis.images import ImageSplit, read_benchmark, read_data
from landmark_zoo.data.analysis.label_noise import NEIGHBORS, JudgedImages, label_noise
from landmark_zoo.data.datasets.folder import TABLE_COLUMNS
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.report.analysis_page import write_analysis_page, write_lists
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.embedding_shards import NoUsableImageError
from landmark_zoo.retrieval.index.exact import nearest_other_images
from landmark_zoo.saved_model import SavedModel

_DATA = flags.DEFINE_list("data", None, "Folder of records or of images (of folders of folders several), or a csv "
                          "file.", required=True)
_CLEAN = flags.DEFINE_boolean("clean", False, "For Google Landmarks v2: take train_clean.csv instead of train.csv.")
_COLUMNS = flags.DEFINE_list("columns", list(TABLE_COLUMNS), "For a csv file: names of its id, path and landmark columns.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with index.csv and test.csv: near-duplicates between them and "
                                 "the data are looked for.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the benchmark's images; by default --benchmark.")
_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: label noise is looked for.")
_EMBEDDINGS = flags.DEFINE_string("embeddings", None, "Instead of --savedmodel: folder of experiments.embed.")
_OUTPUT = define_output("output", None, "Folder of the page; measures and embeddings are kept in it.", required=True)
_SEED = flags.DEFINE_integer("seed", 0, "Random seed of the sample images on the page.", lower_bound=0, upper_bound=MAX_SEED)


def main(_):
    """Measures the images, judges their labels and writes page and lists."""
    if _SAVEDMODEL.value and _EMBEDDINGS.value:
        raise UserError("--savedmodel or --embeddings", "both", "Leave one out.")
    output = Path(_OUTPUT.value)
    model = SavedModel(_SAVEDMODEL.value) if _SAVEDMODEL.value else None
    embeddings = EmbeddingSet.load(_EMBEDDINGS.value) if _EMBEDDINGS.value else None
    data = read_data(_DATA.value, clean=_CLEAN.value, columns=_COLUMNS.value)
    parts = data + (read_benchmark(_BENCHMARK.value, _PHOTOS.value or _BENCHMARK.value) if _BENCHMARK.value else [])
    with lock_directory(output):
        collection = Collection([measure_images(part, output / "measures") for part in parts], len(data))
        if model:
            embeddings = _embedded(model, data, output / "embeddings")
        judged = _judged(collection, data, embeddings) if embeddings else None
        findings = analyze_collection(_DATA.value, collection, judged, _countries())
        write_lists(output, findings)
        print(write_analysis_page(output, findings, _SEED.value))


def _embedded(model: SavedModel, parts: list[ImageSplit], folder: Path) -> EmbeddingSet:
    """Embeds the readable images, block by block; a finished block is kept under its fingerprint and the model's."""
    sets = []
    for part in parts:
        row = {image_id: number for number, image_id in enumerate(part.ids)}
        for block in part.blocks:
            images = [ImageRef(image_id, Path(image_id)) for image_id in part.ids[block.start:block.stop]]
            with contextlib.suppress(NoUsableImageError):
                sets.append(embed(model, images, folder / f"{block.fingerprint[:32]}-{model.fingerprint[:16]}",
                                  read=lambda image, part=part, row=row: part.read(row[image.id])))
    if not sets:
        raise UserError("at least one readable photograph", f"{sum(map(len, parts))} that are not",
                        "Check --data, and the model.")
    return EmbeddingSet([image_id for one in sets for image_id in one.ids], np.concatenate([one.vectors for one in sets]),
                        model.fingerprint, sets[0].provenance)


def _judged(collection: Collection, data: list[ImageSplit], embeddings: EmbeddingSet) -> JudgedImages:
    ids = [image_id for part in data for image_id in part.ids]
    place = {image_id: number for number, image_id in enumerate(ids)}
    chosen = embeddings.select(ids)
    numbers = np.array([place[image_id] for image_id in chosen.ids], np.int64)
    without = set(np.flatnonzero(collection.readable[:len(ids)]).tolist()) - set(numbers.tolist())
    if without and not _SAVEDMODEL.value:
        raise UserError("embeddings of all readable photographs of --data",
                        f"none of {len(without):,} of them, first {ids[min(without)]}",
                        "Embed them with experiments.embed, or give --savedmodel.")
    names, labels = np.unique([collection.landmark(number) for number in numbers], return_inverse=True)
    noise = label_noise(chosen.vectors, labels, nearest_other_images(chosen, NEIGHBORS))
    return JudgedImages(numbers, noise, names.tolist())


def _countries() -> dict[str, str]:
    return {key: country for path in _DATA.value for key, country in read_countries(path).items()}


if __name__ == "__main__":
    run(main)
