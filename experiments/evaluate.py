"""Measures a system on a benchmark.

    python -m experiments.evaluate --benchmark=DIR --output=DIR --savedmodel=DIR                        an exported model
    python -m experiments.evaluate --benchmark=DIR --output=DIR --embeddings=DIR --query_embeddings=DIR  embeddings
    python -m experiments.evaluate --benchmark=DIR --output=DIR --rankings=FILE.csv                      rankings
    python -m experiments.evaluate --benchmark=DIR --output=DIR --scores=FILE.npy                        scores
"""

from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import MAX_SEED, UserError
from landmark_zoo.core.files import lock_directory
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.evaluation.protocol_card import NOT_STATED
from landmark_zoo.evaluation.protocols import PROTOCOLS, benchmark_images, evaluate, read_benchmark
from landmark_zoo.evaluation.ranking_files import rankings_from_scores, read_rankings
from landmark_zoo.evaluation.rankings import Distractors, rank_embeddings
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.")
_EMBEDDINGS = flags.DEFINE_string("embeddings", None, "Instead of --savedmodel: embeddings of the index images.")
_QUERY_EMBEDDINGS = flags.DEFINE_string("query_embeddings", None, "With --embeddings: those of the queries; not needed with "
                                        "--protocol=folder.")
_RANKINGS = flags.DEFINE_string("rankings", None, "Instead of --savedmodel: csv file with columns id and images, as "
                                "experiments.postprocess writes; rankings may be truncated.")
_SCORES = flags.DEFINE_string("scores", None, "Instead of --savedmodel: npy file [queries, index images], in the order of "
                              "the benchmark's lists.")
_DISTRACTORS = flags.DEFINE_list("distractors", [], "Folders of embeddings that are appended to the index as negatives.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files, with gnd_*.json or gnd_*.pkl, with the "
                                 "text files of Oxford5k or Paris6k, or with --protocol=folder one folder per landmark.")
_GROUND_TRUTH = flags.DEFINE_string("ground_truth", None, "A gnd_*.json or gnd_*.pkl, or text files, that lie elsewhere.")
_PROTOCOL = flags.DEFINE_enum("protocol", None, PROTOCOLS, "Protocol, where the files do not tell.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the benchmark's images; by default --benchmark.")
_OUTPUT = define_output("output", None, "Result folder; an interrupted run goes on there.", required=True)
_NAME = flags.DEFINE_string("name", None, "Name of the system in reports; by default the model's or the file's.")
_CROP = flags.DEFINE_boolean("crop", True, "Cut queries to their boxes where the benchmark has boxes.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Images per call of the model.", lower_bound=1, upper_bound=65_536)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the bootstrap intervals.", lower_bound=0, upper_bound=MAX_SEED)
_STRICT = flags.DEFINE_boolean("strict", False, "Stop at the first bad or missing image.")


def main(_):
    """Reads the benchmark and what was found, measures, writes."""
    _check_source()
    benchmark = read_benchmark(_BENCHMARK.value, _GROUND_TRUTH.value, _PROTOCOL.value, _PHOTOS.value)
    with lock_directory(_OUTPUT.value):
        answers = _answers(benchmark)
        name = _NAME.value or answers.facts["model_name"]
        if name == NOT_STATED:
            name = Path(_RANKINGS.value or _SCORES.value or _EMBEDDINGS.value).stem
        results = evaluate(benchmark, answers, name, _SEED.value)
        missing = results.card.queries_missing + results.card.index_images_missing
        if _STRICT.value and missing:
            raise UserError("an answer or embedding for every image of the benchmark", f"{missing} without one",
                            "Embed them too, or leave out --strict.")
        results.write(_OUTPUT.value, resolved_flags())
    print(results.table())


def _check_source():
    sources = {"savedmodel": _SAVEDMODEL, "embeddings": _EMBEDDINGS, "rankings": _RANKINGS, "scores": _SCORES}
    given = [f"--{name}" for name, flag in sources.items() if flag.value]
    queries_alone = bool(_QUERY_EMBEDDINGS.value) and not _EMBEDDINGS.value
    if len(given) != 1 or queries_alone:
        raise UserError("--savedmodel, or --embeddings with --query_embeddings, or --rankings, or --scores",
                        "--query_embeddings without --embeddings" if queries_alone else " and ".join(given) or "neither",
                        "Say what to measure.")
    if _DISTRACTORS.value and (_RANKINGS.value or _SCORES.value):
        raise UserError("--distractors with --savedmodel or --embeddings", f"them with {given[0]}", "Leave them out.")


def _answers(benchmark):
    if _RANKINGS.value:
        return read_rankings(benchmark, _RANKINGS.value)
    if _SCORES.value:
        return rankings_from_scores(benchmark, _SCORES.value)
    queries, index = _read_embeddings(benchmark) if _EMBEDDINGS.value else _embed_images(benchmark)
    return rank_embeddings(benchmark, queries, index, Distractors.read(_DISTRACTORS.value, index))


def _embed_images(benchmark):
    from landmark_zoo.retrieval.embed import EmbedConfig, embed
    from landmark_zoo.saved_model import SavedModel  # TensorFlow, which nothing else here needs

    model, folder = SavedModel(_SAVEDMODEL.value), Path(_OUTPUT.value, "embeddings")
    config = EmbedConfig(batch_size=_BATCH_SIZE.value, strict=_STRICT.value, apply_exif=benchmark.apply_exif)
    photos = _PHOTOS.value or _BENCHMARK.value
    if not photos:
        raise UserError("a folder of photographs", "none", "Give --photos.")
    parts = dict(zip(("queries", "index"), benchmark_images(benchmark, ImageLocator(photos), _CROP.value), strict=True))
    if benchmark.leave_one_out:
        del parts["queries"]
    sets = [embed(model, images, folder / part, config) for part, images in parts.items()]
    return sets[0], sets[-1]


def _read_embeddings(benchmark):
    if not _QUERY_EMBEDDINGS.value and not benchmark.leave_one_out:
        raise UserError("--embeddings with --query_embeddings", "--embeddings alone", "Give both folders of embeddings.")
    return EmbeddingSet.load(_QUERY_EMBEDDINGS.value or _EMBEDDINGS.value), EmbeddingSet.load(_EMBEDDINGS.value)


if __name__ == "__main__":
    run(main)
