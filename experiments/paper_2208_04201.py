"""Table of arXiv 2208.04201 (E1 to E7), measured anew.

    python -m experiments.paper_2208_04201 --models=E1,E2,E3,E4 --benchmark=DIR --photos=DIR --output=DIR

E1 to E4 are exported models (experiments/recipes/thesis); "-" for one that is missing. E5, E6 and E7 re-rank the first 100
of the last one by SIFT, VLAD and patches; v of `v * global + (1 - v) * local` and the codebook are fitted on photographs of
landmarks outside the benchmark. Writes table.csv, per_query.csv, and for each re-ranker its fusion and rankings (E5/, ...).
"""

from absl import flags

from experiments.reranking import DASH, MeasuredRow, RerankingConfig, RerankingRun
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.retrieval.rerank.registry import thesis_rerankers
from landmark_zoo.saved_model import SavedModel

_MODELS = flags.DEFINE_list("models", None, "Exported models of E1, E2, E3, E4 in this order; - for a missing one.",
                            required=True)
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of images, one folder per landmark: the benchmark's and others.",
                              required=True)
_OUTPUT = define_output("output", None, "Result folder; an interrupted run goes on there.", required=True)
define_flags(RerankingConfig)
NAMES = ("E1", "E2", "E3", "E4")
TITLES = {"E1": "ImageNet features", "E2": "classification", "E3": "siamese from ImageNet", "E4": "siamese from E2",
          "E5": "re-ranked by SIFT", "E6": "re-ranked by VLAD", "E7": "re-ranked by patches"}


def main(_):
    """Embeds, ranks, re-ranks, prints."""
    paths = [path.strip() for path in _MODELS.value]
    if len(paths) > len(NAMES) or all(path in ("", DASH) for path in paths):
        raise UserError("one to four --models, in the order E1, E2, E3, E4", ",".join(paths), "Write - for a missing one.")
    thesis = RerankingRun.prepare(from_flags(RerankingConfig), _BENCHMARK.value, _PHOTOS.value, _OUTPUT.value)
    models = {name: SavedModel(path) for name, path in zip(NAMES, paths, strict=False) if path not in ("", DASH)}
    last = max(models)
    models[last].check_local()
    with lock_directory(thesis.output):
        rows = {name: MeasuredRow(name, TITLES[name]) for name in NAMES}
        for name, model in models.items():
            rows[name], rankings = thesis.measure(model, name, TITLES[name])
        rerankers = thesis_rerankers(models[last], thesis.read, thesis.others, thesis.config.seed)
        reranked = thesis.rerank(models[last], rows[last], rankings, rerankers, TITLES)
        thesis.write_table(list(rows.values()), rows[last], reranked)


if __name__ == "__main__":
    run(main)
