"""Training losses: plain functions on logits, embeddings and labels."""
