"""Whitens, expands, diffuses or re-ranks existing embeddings.

    python -m experiments.postprocess --index=DIR --queries=DIR --output=DIR --whitening=pca --whitening_train=DIR --dim=512
    python -m experiments.postprocess --index=DIR --queries=DIR --output=DIR --dba=10 --expansion=alpha
    python -m experiments.postprocess --index=DIR --queries=DIR --output=DIR --diffusion

The steps follow one another in the order of the flags. The output holds the new embeddings, `queries/` and `index/`, for
`experiments.evaluate --query_embeddings --embeddings`; with --diffusion or --k_reciprocal it holds `rankings.csv` instead,
for `experiments.evaluate --rankings`, and `rankings.json` beside it for the protocol card. A whitening that was fitted is
kept as `whitening/`, and what it makes of the embeddings that it was fitted on as `whitening_train/`, so that another can be
fitted on them.
"""

from pathlib import Path

from absl import flags, logging

from landmark_zoo.core.errors import MAX_SEED, UserError
from landmark_zoo.core.files import atomic_directory, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.selection import read_landmarks
from landmark_zoo.evaluation.ranking_files import write_rankings
from landmark_zoo.retrieval.diffusion import Diffusion
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.k_reciprocal import k_reciprocal
from landmark_zoo.retrieval.query_expansion import alpha_query_expansion, database_augmentation
from landmark_zoo.retrieval.whitening import LearnedWhitening, PCAWhitening, load_whitening, matching_pairs

_INDEX = flags.DEFINE_string("index", None, "Folder of embeddings of the index images.", required=True)
_QUERIES = flags.DEFINE_string("queries", None, "Folder of embeddings of the queries.", required=True)
_OUTPUT = define_output("output", None, "New folder for the result.", required=True)
_WHITENING = flags.DEFINE_string("whitening", None, "pca, learnt, or the folder whitening/ of an earlier run.")
_TRAIN = flags.DEFINE_string("whitening_train", None, "Folder of embeddings to fit the whitening on; no queries "
                             "or index images.")
_LANDMARKS = flags.DEFINE_string("landmarks", None, "For --whitening=learnt: csv file with columns id and landmark.")
_DIMENSION = flags.DEFINE_integer("dim", None, "Dimensions that the whitening keeps; unset: all that carry variance.",
                                  lower_bound=1, upper_bound=65_536)
_POWER = flags.DEFINE_float("power", 0.25, "Exponent of the PCA whitening, 0 (rotation only) to 0.5 (full).")
flags.register_validator("power", lambda power: 0 <= power <= 0.5, "Expected a power from 0 to 0.5.")
_DBA = flags.DEFINE_integer("dba", 0, "Neighbours per index image in database augmentation; 0: none.", lower_bound=0,
                            upper_bound=10_000)
_EXPANSION = flags.DEFINE_enum("expansion", None, ["alpha", "average"], "Query expansion: alpha-weighted or plain average.")
_NEIGHBORS = flags.DEFINE_integer("neighbours", 10, "Number of neighbours in query expansion.", lower_bound=1,
                                  upper_bound=10_000)
_ALPHA = flags.DEFINE_float("alpha", 3.0, "With --expansion=alpha: exponent of the similarities.", lower_bound=0.0,
                            upper_bound=100.0)
_DIFFUSION = flags.DEFINE_boolean("diffusion", False, "Rank the index by diffusion.")
_TRUNCATION = flags.DEFINE_integer("truncation", 1000, "With --diffusion: index images to which each query's system is cut.",
                                   lower_bound=1, upper_bound=10_000_000)
_LATE = flags.DEFINE_boolean("late_truncation", True, "With --diffusion: normalize the graph before the cut (Yang et al., "
                             "AAAI 2019); off: after it (Iscen et al., CVPR 2017), the same where nothing is cut.")
_K_RECIPROCAL = flags.DEFINE_boolean("k_reciprocal", False, "Re-rank by k-reciprocal neighbours.")
_DEPTH = flags.DEFINE_integer("depth", 100, "Length of the rankings.", lower_bound=1, upper_bound=10_000_000)
_SEED = flags.DEFINE_integer("seed", 0, "Random seed of the pairs for the learnt whitening.",
                             lower_bound=0, upper_bound=MAX_SEED)


def main(_):
    """Reads, goes through the steps, writes."""
    if _DIFFUSION.value and _K_RECIPROCAL.value:
        raise UserError("--diffusion or --k_reciprocal", "both", "Choose one.")
    queries, index = EmbeddingSet.load(_QUERIES.value), EmbeddingSet.load(_INDEX.value)
    index.check_model(queries.dimension, queries.model_fingerprint)
    with atomic_directory(_OUTPUT.value) as folder:
        if _WHITENING.value:
            whitening = _whitening({*queries.ids, *index.ids}, folder)
            queries, index = whitening.transform(queries), whitening.transform(index)
        if _DBA.value:
            index = database_augmentation(index, _DBA.value)
        if _EXPANSION.value:
            alpha = 0 if _EXPANSION.value == "average" else _ALPHA.value
            queries = alpha_query_expansion(queries, index, _NEIGHBORS.value, alpha)
        if _DIFFUSION.value or _K_RECIPROCAL.value:
            _rank(queries, index, folder)
        else:
            queries.save(folder / "queries")
            index.save(folder / "index")
        write_json(folder / "flags.json", resolved_flags())
    print(f"{', '.join(sorted(path.name for path in Path(_OUTPUT.value).iterdir()))} in {_OUTPUT.value}")


def _whitening(tested, folder):
    if _WHITENING.value not in ("pca", "learnt"):
        return load_whitening(_WHITENING.value)
    if not _TRAIN.value:
        raise UserError(f"--whitening_train with --whitening={_WHITENING.value}", "none",
                        "Name embeddings of other photographs by the same model.")
    train = EmbeddingSet.load(_TRAIN.value)
    seen = tested.intersection(train.ids)
    if seen:
        logging.warning("%d photographs of --whitening_train are queries or index images, first %s: the result will be too "
                        "good", len(seen), min(seen))
    whitening = PCAWhitening(_DIMENSION.value, _POWER.value).fit(train) if _WHITENING.value == "pca" else _learned(train)
    whitening.save(folder / "whitening")
    whitening.transform(train).save(folder / "whitening_train")
    return whitening


def _learned(train):
    if not _LANDMARKS.value:
        raise UserError("--landmarks with --whitening=learnt", "none", "Name a csv file with columns id and landmark.")
    landmarks = read_landmarks(_LANDMARKS.value, train.ids, "landmark")
    return LearnedWhitening(_DIMENSION.value).fit(train, matching_pairs(train.ids, landmarks, seed=_SEED.value))


def _rank(queries, index, folder):
    if _DIFFUSION.value:
        diffusion = Diffusion(truncation=_TRUNCATION.value, late_truncation=_LATE.value)
        method, settings, rankings = "diffusion", diffusion.settings, diffusion.fit(index).rank(queries, _DEPTH.value)
    else:
        method, settings = "k-reciprocal", {"candidates": 500, "k1": 20, "k2": 6, "original_weight": 0.3}
        rankings = k_reciprocal(queries, index, _DEPTH.value, **settings)
    write_rankings(folder, queries.ids, rankings, {
        "method": method, "settings": settings, "depth": _DEPTH.value, "model_fingerprint": index.model_fingerprint,
        "queries": queries.provenance, "index": index.provenance})


if __name__ == "__main__":
    run(main)
