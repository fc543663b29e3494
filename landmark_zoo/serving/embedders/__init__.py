"""What a SavedModel wraps: pictures of one size to embeddings, one thing round another."""
