"""Looks at photographs and writes what they are like on one page.

    python -m experiments.analyze --data=DIR --output=DIR
    python -m experiments.analyze --data=DIR --savedmodel=DIR --benchmark=DIR --photos=DIR --output=DIR

The data are a folder of records, a folder laid out as Google Landmarks v2, one or several folders of folders, or a csv
file of photographs. Writes index.html, duplicates.csv, unreadable.csv and, with a model or embeddings, noise.csv. Started
again, it measures only what has changed.
"""

from pathlib import Path

import numpy as np
from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.script import run
from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.countries import read_countries
from landmark_zoo.data.analysis.findings import find
from landmark_zoo.data.analysis.judged import Judged
from landmark_zoo.data.analysis.label_noise import NEIGHBOURS, label_noise
from landmark_zoo.data.analysis.measured import measured
from landmark_zoo.data.analysis.photographs import Photographs
from landmark_zoo.data.analysis.read_benchmark import read_benchmark
from landmark_zoo.data.analysis.read_data import COLUMNS, read_data
from landmark_zoo.report.analysis.lists import write_lists
from landmark_zoo.report.analysis.page import write_analysis_page
from landmark_zoo.retrieval.embed_blocks import embed_blocks
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.nearest_others import nearest_others
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_DATA = flags.DEFINE_list("data", None, "Folder of records or of photographs (of folders of folders several), or a csv "
                          "file.", required=True)
_CLEAN = flags.DEFINE_boolean("clean", False, "Of Google Landmarks v2: take train_clean.csv instead of all of train.csv.")
_COLUMNS = flags.DEFINE_list("columns", list(COLUMNS), "Of a csv file: its id, path and landmark columns.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with index.csv and test.csv: near-duplicates between them and "
                                 "the data are looked for.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the benchmark's photographs; by default --benchmark.")
_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: label noise is looked for.")
_EMBEDDINGS = flags.DEFINE_string("embeddings", None, "Instead of --savedmodel: folder of experiments.embed.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder of the page; measures and embeddings are kept in it.", required=True)
_SEED = flags.DEFINE_integer("seed", 0, "Of the photographs that are drawn at random.")


def main(_):
    """Reads, measures, judges, writes."""
    if _SAVEDMODEL.value and _EMBEDDINGS.value:
        raise UserError("--savedmodel or --embeddings", "both", "Leave one out.")
    output = Path(_OUTPUT.value)
    model = EmbeddingModel(_SAVEDMODEL.value) if _SAVEDMODEL.value else None
    embeddings = EmbeddingSet.load(_EMBEDDINGS.value) if _EMBEDDINGS.value else None
    data = read_data(_DATA.value, clean=_CLEAN.value, columns=_COLUMNS.value)
    parts = data + (read_benchmark(_BENCHMARK.value, _PHOTOS.value or _BENCHMARK.value) if _BENCHMARK.value else [])
    with lock_directory(output):
        collection = Collection([measured(part, output / "measures") for part in parts], len(data))
        if model:
            embeddings = embed_blocks(model, data, output / "embeddings")
        judged = _judged(collection, data, embeddings) if embeddings else None
        findings = find(_DATA.value, collection, judged, _countries())
        write_lists(output, findings)
        print(write_analysis_page(output, findings, _SEED.value))


def _judged(collection: Collection, data: list[Photographs], embeddings: EmbeddingSet) -> Judged:
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
    return Judged(numbers, label_noise(chosen.vectors, labels, nearest_others(chosen, NEIGHBOURS)), names.tolist())


def _countries() -> dict[str, str]:
    return {key: country for path in _DATA.value for key, country in read_countries(path).items()}


if __name__ == "__main__":
    run(main)
