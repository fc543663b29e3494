"""Re-ranking: the first candidates of a ranking compared once more, by local features and geometry.

    read = photograph_reader(ImageLocator("photographs"), max_side=1024)
    reranker = GeometricReranker(SIFT(), min_inliers=10, budget_ms=500)
    reranked = reranker.rerank(read("query"), ids, read)

| re-ranker | compares | geometry |
|---|---|---|
| `GeometricReranker(SIFT())` | matches that one homography explains | points, homography |
| `GeometricReranker(LocalFeatures(model))` | the same on DELF's, DELG's, HOW's or any map's features | points, homography |
| `Patches(model)` | every cell of two feature maps with every other | points |
| `VLAD(features, codebook)` | one vector of residuals to visual words | none |
| `ASMK(features, codebook)` | signs of residuals, word by word | none |

`Fusion` weighs their scores against those of the ranking. No method needs more than two photographs at a time.
"""
