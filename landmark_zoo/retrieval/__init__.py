"""Search by exported SavedModels: photographs to embeddings, embeddings to an index, an index to a ranking."""
