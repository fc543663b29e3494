"""The part of the protocol card that every protocol fills alike."""

from typing import Any

from landmark_zoo.core.provenance import git_commit, versions
from landmark_zoo.evaluation.aligned import Benchmark
from landmark_zoo.evaluation.metric_summaries import INTERVAL
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

NOT_STATED = "not stated"
_STATED_BY_MODEL = ("resize", "side", "scales", "aggregation", "whitening", "whitening_learnt_on", "training_data")
_EXIF = {True: "turned", False: "as stored"}


def card_facts(benchmark: Benchmark, queries: EmbeddingSet, index: EmbeddingSet, seed: int) -> dict[str, Any]:
    """Returns the fields of a `ProtocolCard` that do not depend on the protocol.

    Args:
        benchmark: What was measured on.
        queries: Embeddings of its queries, with the provenance that `retrieval.embed` gave them.
        index: Embeddings of its index images, of the same model.
        seed: Of the bootstrap.

    Returns:
        Field name to value; "not stated" where model and provenance are silent.
    """
    info = index.provenance.get("model", {})
    exif = [_EXIF.get(embeddings.provenance.get("apply_exif"), NOT_STATED) for embeddings in (queries, index)]
    return {
        "benchmark": benchmark.name,
        "ground_truth_sha256": benchmark.ground_truth_sha256,
        "query_photographs_sha256": queries.provenance.get("photographs_sha256", NOT_STATED),
        "index_photographs_sha256": index.provenance.get("photographs_sha256", NOT_STATED),
        "exif": exif[0] if exif[0] == exif[1] else f"queries {exif[0]}, index {exif[1]}",
        **{key: info.get(key, NOT_STATED) for key in _STATED_BY_MODEL},
        "queries_missing": len(benchmark.query_ids) - len(queries),
        "index_images": len(index),
        "index_images_missing": len(benchmark.index_ids) - len(index),
        "interval": INTERVAL,
        "seed": seed,
        "model_name": info.get("name", NOT_STATED),
        "model_fingerprint": index.model_fingerprint,
        "versions": index.provenance.get("versions", versions()),
        "git_commit": git_commit(),
    }
