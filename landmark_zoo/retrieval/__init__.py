"""Search by exported models: images to embeddings, embeddings to an index, an index to rankings.

`retrieval.embed.embed` embeds images; its name is that of its module, and so it is not among the exports here.
"""

from landmark_zoo.core.lazy import attach

_HERE = "landmark_zoo.retrieval"

__getattr__, __dir__, __all__ = attach(__name__, {
    "Diffusion": f"{_HERE}.diffusion",
    "EmbedConfig": f"{_HERE}.embed",
    "embed_image": f"{_HERE}.embed",
    "embed_shards": f"{_HERE}.embed",
    "EmbeddingSet": f"{_HERE}.embedding_set",
    "merge_shards": f"{_HERE}.embedding_shards",
    "OnnxEngine": f"{_HERE}.engines",
    "OpenvinoEngine": f"{_HERE}.engines",
    "TensorflowEngine": f"{_HERE}.engines",
    "Index": f"{_HERE}.index.base",
    "build_index": f"{_HERE}.index.build",
    "open_index": f"{_HERE}.index.build",
    "ExactIndex": f"{_HERE}.index.exact",
    "FaissIndex": f"{_HERE}.index.faiss_index",
    "MilvusIndex": f"{_HERE}.index.milvus_index",
    "alpha_query_expansion": f"{_HERE}.query_expansion",
    "database_augmentation": f"{_HERE}.query_expansion",
    "ASMK": f"{_HERE}.rerank.asmk",
    "Codebook": f"{_HERE}.rerank.codebook",
    "Fusion": f"{_HERE}.rerank.fusion",
    "GeometricReranker": f"{_HERE}.rerank.geometric",
    "Patches": f"{_HERE}.rerank.geometric",
    "LocalFeatures": f"{_HERE}.rerank.local_features",
    "SIFT": f"{_HERE}.rerank.local_features",
    "DetectedPoints": f"{_HERE}.rerank.matcher",
    "MatcherReranker": f"{_HERE}.rerank.matcher",
    "SavedMatcher": f"{_HERE}.rerank.matcher",
    "VLAD": f"{_HERE}.rerank.vlad",
    "LearnedWhitening": f"{_HERE}.whitening",
    "PCAWhitening": f"{_HERE}.whitening",
    "load_whitening": f"{_HERE}.whitening",
})
