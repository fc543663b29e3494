"""Whitening of embeddings after the model: learnt once on other photographs, then applied to queries and index alike."""
