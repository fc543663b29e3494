"""Prints the table of arXiv 2208.04201 (E1 to E7) with our numbers.

    python -m experiments.thesis --models=E1,E2,E3,E4 --benchmark=DIR --photos=DIR --output=DIR

E1 to E4 are exported models (experiments/recipes/thesis); "-" for one that is missing. E5, E6 and E7 re-rank the first 100
of the last one by SIFT, VLAD and patches; v of `v * global + (1 - v) * local` and the codebook are fitted on photographs of
landmarks outside the benchmark. Writes table.csv, per_query.csv, and for each re-ranker its fusion and rankings (E5/, ...).
"""

from absl import flags

from experiments.reranking.config import RerankingConfig
from experiments.reranking.measured_row import MeasuredRow
from experiments.reranking.measured_table import DASH
from experiments.reranking.prepare_run import prepare_run
from experiments.reranking.thesis_rerankers import thesis_rerankers
from experiments.reranking.write_table import write_table
from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.script import run
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_MODELS = flags.DEFINE_list("models", None, "Exported models of E1, E2, E3, E4 in this order; - for a missing one.",
                            required=True)
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of photographs, one folder per landmark: the benchmark's and others.",
                              required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Result folder; an interrupted run goes on there.", required=True)
define_flags(RerankingConfig)
NAMES = ("E1", "E2", "E3", "E4")
TITLES = {"E1": "ImageNet features", "E2": "classification", "E3": "siamese from ImageNet", "E4": "siamese from E2",
          "E5": "re-ranked by SIFT", "E6": "re-ranked by VLAD", "E7": "re-ranked by patches"}


def main(_):
    """Embeds, ranks, re-ranks, prints."""
    paths = [path.strip() for path in _MODELS.value]
    if len(paths) > len(NAMES) or all(path in ("", DASH) for path in paths):
        raise UserError("one to four --models, in the order E1, E2, E3, E4", ",".join(paths), "Write - for a missing one.")
    thesis, landmarks = prepare_run(from_flags(RerankingConfig), _BENCHMARK.value, _PHOTOS.value, _OUTPUT.value)
    models = {name: EmbeddingModel(path) for name, path in zip(NAMES, paths, strict=False) if path not in ("", DASH)}
    last = max(models)
    models[last].check_local()
    with lock_directory(thesis.output):
        rows = {name: MeasuredRow(name, TITLES[name], {}) for name in NAMES}
        for name, model in models.items():
            rows[name], lists = thesis.measure(model, name, TITLES[name])
        rerankers = thesis_rerankers(models[last], thesis.read, thesis.outside.others, thesis.seed)
        reranked = thesis.rerank(models[last], rows[last], lists, rerankers, TITLES)
        write_table(thesis, list(rows.values()), rows[last], reranked, landmarks)


if __name__ == "__main__":
    run(main)
