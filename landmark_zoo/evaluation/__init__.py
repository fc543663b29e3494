"""Evaluation of retrieval: benchmarks with their protocols, rankings, results with intervals, paired comparison.

    benchmark = read_benchmark("roxford5k")
    results = evaluate(benchmark, rank_embeddings(benchmark, queries, index), "my model")
    results.write("results/my_model", flags={})
    compare_results("results/baseline", "results/my_model")
"""

from landmark_zoo.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "Benchmark": "landmark_zoo.evaluation.benchmark",
    "Comparison": "landmark_zoo.evaluation.comparison",
    "Distractors": "landmark_zoo.evaluation.rankings",
    "FolderBenchmark": "landmark_zoo.evaluation.folder",
    "Gldv2Benchmark": "landmark_zoo.evaluation.gldv2",
    "Measure": "landmark_zoo.evaluation.results",
    "OxfordBenchmark": "landmark_zoo.evaluation.oxford_paris",
    "ProtocolCard": "landmark_zoo.evaluation.protocol_card",
    "RankedImage": "landmark_zoo.evaluation.results",
    "Ranking": "landmark_zoo.evaluation.rankings",
    "Rankings": "landmark_zoo.evaluation.rankings",
    "RecognitionBenchmark": "landmark_zoo.evaluation.recognition",
    "Results": "landmark_zoo.evaluation.results",
    "RevisitedBenchmark": "landmark_zoo.evaluation.oxford_paris",
    "compare_results": "landmark_zoo.evaluation.comparison",
    "evaluate": "landmark_zoo.evaluation.protocols",
    "rank_embeddings": "landmark_zoo.evaluation.rankings",
    "rankings_from_scores": "landmark_zoo.evaluation.ranking_files",
    "read_benchmark": "landmark_zoo.evaluation.protocols",
    "read_rankings": "landmark_zoo.evaluation.ranking_files",
    "write_rankings": "landmark_zoo.evaluation.ranking_files",
})
