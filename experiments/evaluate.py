"""Measures an exported model: python -m experiments.evaluate --savedmodel=DIR --benchmark=DIR --output=DIR"""

from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.script import run
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.evaluate_gldv2 import evaluate_gldv2
from landmark_zoo.evaluation.evaluate_revisited import evaluate_revisited
from landmark_zoo.evaluation.read_benchmark import PROTOCOLS, read_benchmark
from landmark_zoo.evaluation.revisited import RevisitedBenchmark
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.")
_EMBEDDINGS = flags.DEFINE_string("embeddings", None, "Instead of --savedmodel: embeddings of the index images.")
_QUERY_EMBEDDINGS = flags.DEFINE_string("query_embeddings", None, "Instead of --savedmodel: embeddings of the queries.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files, or with gnd_*.json or gnd_*.pkl.")
_GROUND_TRUTH = flags.DEFINE_string("ground_truth", None, "A gnd_*.json or gnd_*.pkl that lies elsewhere.")
_PROTOCOL = flags.DEFINE_enum("protocol", None, PROTOCOLS, "Where the folder holds both kinds of files.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the benchmark's photographs; by default --benchmark.")
_OUTPUT = flags.DEFINE_string("output", None, "Result folder; an interrupted run goes on there.", required=True)
_NAME = flags.DEFINE_string("name", None, "What reports shall call the model; by default its own name.")
_CROP = flags.DEFINE_boolean("crop", True, "Cut queries to the boxes of a revisited benchmark.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Photographs per call of the model.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Of the bootstrap of the intervals.")
_STRICT = flags.DEFINE_boolean("strict", False, "Stop at the first bad or missing photograph.")


def main(_):
    """Reads the benchmark, embeds its pictures, ranks, measures, writes."""
    benchmark = read_benchmark(_BENCHMARK.value, _GROUND_TRUTH.value, _PROTOCOL.value)
    with lock_directory(_OUTPUT.value):
        queries, index = _read_embeddings() if _EMBEDDINGS.value else _embed_pictures(benchmark)
        evaluate = evaluate_revisited if isinstance(benchmark, RevisitedBenchmark) else evaluate_gldv2
        name = _NAME.value or index.provenance.get("model", {}).get("name", "unnamed")
        results = evaluate(benchmark, queries, index, name, seed=_SEED.value)
        missing = results.card.queries_missing + results.card.index_images_missing
        if _STRICT.value and missing:
            raise UserError("an embedding for every picture of the benchmark", f"{missing} without one",
                            "Embed them too, or leave out --strict.")
        results.write(_OUTPUT.value, resolved_flags())
    print(results.table())


def _embed_pictures(benchmark):
    if not _SAVEDMODEL.value or _QUERY_EMBEDDINGS.value:
        raise UserError("--savedmodel, or --embeddings with --query_embeddings", "neither", "Say what to measure.")
    photos = _PHOTOS.value or _BENCHMARK.value
    if not photos:
        raise UserError("a folder of photographs", "none", "Give --photos.")
    model = EmbeddingModel(_SAVEDMODEL.value)
    apply_exif = not isinstance(benchmark, RevisitedBenchmark)
    parts = zip(("queries", "index"), benchmark_pictures(benchmark, ImageLocator(photos), _CROP.value), strict=True)
    return [embed(model, pictures, Path(_OUTPUT.value, "embeddings", part), batch_size=_BATCH_SIZE.value,
                  apply_exif=apply_exif, strict=_STRICT.value) for part, pictures in parts]


def _read_embeddings():
    if not _QUERY_EMBEDDINGS.value or _SAVEDMODEL.value:
        raise UserError("--embeddings with --query_embeddings and without --savedmodel", "another combination",
                        "Give both folders of embeddings, or a model.")
    return EmbeddingSet.load(_QUERY_EMBEDDINGS.value), EmbeddingSet.load(_EMBEDDINGS.value)


if __name__ == "__main__":
    run(main)
