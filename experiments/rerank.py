"""Re-ranks the first 100 of a model by local features, and says what it brings.

    python -m experiments.rerank --savedmodel=DIR --benchmark=DIR --photos=DIR --output=DIR --methods=sift,patches

The weight of `v * global + (1 - v) * local` and the codebooks are fitted on photographs of landmarks outside the benchmark.
Writes table.csv, per_query.csv, and for each method its fusion and `rankings.csv`.
"""

from absl import flags

from experiments.reranking.config import RerankingConfig
from experiments.reranking.named_rerankers import TITLES, named_rerankers
from experiments.reranking.prepare_run import prepare_run
from experiments.reranking.write_table import write_table
from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.script import run
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model.", required=True)
_METHODS = flags.DEFINE_list("methods", list(TITLES), f"Of {', '.join(TITLES)}.")
_BUDGET = flags.DEFINE_float("budget_ms", None, "Milliseconds for one query; candidates that are not reached count as the "
                             "worst that were. Unset: no limit.", lower_bound=0.001)
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of photographs, one folder per landmark: the benchmark's and others.",
                              required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Result folder; an interrupted run goes on there.", required=True)
define_flags(RerankingConfig)


def main(_):
    """Embeds, ranks, re-ranks, prints."""
    reranking, landmarks = prepare_run(from_flags(RerankingConfig), _BENCHMARK.value, _PHOTOS.value, _OUTPUT.value)
    model = EmbeddingModel(_MODEL.value)
    with lock_directory(reranking.output):
        rerankers = named_rerankers(_METHODS.value, model, reranking.read, reranking.outside.others, reranking.seed,
                                    _BUDGET.value)
        before, lists = reranking.measure(model, "embedding", "by embedding alone")
        reranked = reranking.rerank(model, before, lists, rerankers, TITLES)
        write_table(reranking, [before], before, reranked, landmarks)


if __name__ == "__main__":
    run(main)
