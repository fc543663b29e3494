"""Prints the table of arXiv 2208.04201 (E1 to E7) with our numbers.

    python -m experiments.thesis --models=E1,E2,E3,E4 --benchmark=DIR --photos=DIR --output=DIR

E1 to E4 are exported models (experiments/recipes/thesis); "-" for one that is missing. E5, E6 and E7 re-rank the first 100
of the last one by SIFT, VLAD and patches; v of `v * global + (1 - v) * local` and the codebook are fitted on photographs of
landmarks outside the benchmark. Writes table.csv, per_query.csv, and for each re-ranker its fusion and rankings (E5/, ...).
"""

from pathlib import Path

from absl import flags

from experiments.reranking.outside_benchmark import outside_benchmark
from experiments.reranking.run_thesis import NAMES, Thesis
from experiments.reranking.thesis_table import DASH, HEADER, aligned_text, effect, thesis_table
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv, write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.script import run
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.read_benchmark import read_benchmark
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_MODELS = flags.DEFINE_list("models", None, "Exported models of E1, E2, E3, E4 in this order; - for a missing one.",
                            required=True)
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of photographs, one folder per landmark: the benchmark's and others.",
                              required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Result folder; an interrupted run goes on there.", required=True)
_QUERIES = flags.DEFINE_integer("validation_queries", 60, "Queries that v is fitted on.", lower_bound=1)
_INDEX = flags.DEFINE_integer("validation_index", 600, "Index images that they search.", lower_bound=1)
_OTHERS = flags.DEFINE_integer("codebook_photographs", 300, "Photographs that the codebook is fitted on.", lower_bound=1)
_MAX_SIDE = flags.DEFINE_integer("max_side", 512, "Pixels of the longer side for local features.", lower_bound=32)
_STRICT = flags.DEFINE_boolean("strict", False, "Stop at the first bad or missing photograph.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the draw, k-means, MAGSAC and the bootstrap.")


def main(_):
    """Embeds, ranks, re-ranks, prints."""
    paths = [path.strip() for path in _MODELS.value]
    if len(paths) > len(NAMES) or all(path in ("", DASH) for path in paths):
        raise UserError("one to four --models, in the order E1, E2, E3, E4", ",".join(paths), "Write - for a missing one.")
    benchmark = read_benchmark(_BENCHMARK.value, protocol="gldv2_retrieval")
    catalogue, output, seed = read_folder([_PHOTOS.value]), Path(_OUTPUT.value), _SEED.value
    outside = outside_benchmark(catalogue, benchmark, _QUERIES.value, _INDEX.value, _OTHERS.value, seed)
    models = [None if path in ("", DASH) else EmbeddingModel(path) for path in paths]
    models += [None] * (len(NAMES) - len(models))
    with lock_directory(output):
        rows = Thesis(benchmark, outside, ImageLocator(_PHOTOS.value), output, _MAX_SIDE.value, _STRICT.value,
                      seed).run(models)
        table = thesis_table(rows, benchmark, seed)
        measured = [row for row in rows if row.average_precision]
        write_csv(output / "table.csv", HEADER, table)
        write_csv(output / "per_query.csv", ["query_id", *(row.name for row in measured)],
                  ([query, *(f"{row.average_precision[query]:.6f}" for row in measured)] for query in benchmark.query_ids))
        write_json(output / "flags.json", resolved_flags())
    landmarks = {entry.id: entry.landmark_id for entry in catalogue}
    print(aligned_text([HEADER, *table]))
    for row in rows[len(NAMES):]:
        print("\n".join(effect(row, measured[-4], landmarks, seed)))


if __name__ == "__main__":
    run(main)
