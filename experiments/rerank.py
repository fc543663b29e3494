"""Re-ranking of the first 100 images of a model by local features.

    python -m experiments.rerank --savedmodel=DIR --benchmark=DIR --photos=DIR --output=DIR --methods=sift,patches

The weight of `v * global + (1 - v) * local` and the codebooks are fitted on images of landmarks outside the benchmark.
Writes table.csv, per_query.csv, and for each method its fusion and `rankings.csv`.
"""

from absl import flags

from experiments.reranking import RerankingConfig, RerankingRun
from landmark_zoo.core.files import lock_directory
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.retrieval.rerank.registry import MATCHED, TITLES, named_rerankers
from landmark_zoo.saved_model import SavedModel

_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_METHODS = flags.DEFINE_list("methods", list(TITLES), f"Re-rankers to try, among {', '.join({**TITLES, **MATCHED})}.")
_XFEAT = flags.DEFINE_string("xfeat", None, "For xfeat: export of export.savedmodel --model=xfeat.")
_MATCHER = flags.DEFINE_string("matcher", None, "For xfeat: export of export.matcher.")
_BUDGET = flags.DEFINE_float("budget_ms", None, "Milliseconds for one query; candidates that are not reached count as the "
                             "worst that were. Unset: no limit.", lower_bound=0.001, upper_bound=3_600_000.0)
_VLAD_INTRA = flags.DEFINE_boolean("vlad_intra", False, "Bring each visual word of VLAD to length 1.")
_VLAD_POWER = flags.DEFINE_float("vlad_power", 0.5, "Power to which VLAD's numbers are raised, before --vlad_intra; 1: off.",
                                 lower_bound=0.01, upper_bound=1.0)
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of images, one folder per landmark: the benchmark's and others.",
                              required=True)
_OUTPUT = define_output("output", None, "Result folder; an interrupted run goes on there.", required=True)
define_flags(RerankingConfig)


def main(_):
    """Embeds, ranks, re-ranks, evaluates, prints."""
    reranking = RerankingRun.prepare(from_flags(RerankingConfig), _BENCHMARK.value, _PHOTOS.value, _OUTPUT.value)
    model = SavedModel(_MODEL.value)
    with lock_directory(reranking.output):
        rerankers = named_rerankers(_METHODS.value, model, reranking.read, reranking.others, reranking.config.seed,
                                    _BUDGET.value, vlad_intra=_VLAD_INTRA.value, vlad_power=_VLAD_POWER.value,
                                    xfeat=_XFEAT.value, matcher=_MATCHER.value)
        before, rankings = reranking.measure(model, "embedding", "by embedding alone")
        reranked = reranking.rerank(model, before, rankings, rerankers, {**TITLES, **MATCHED})
        reranking.write_table([before], before, reranked)


if __name__ == "__main__":
    run(main)
