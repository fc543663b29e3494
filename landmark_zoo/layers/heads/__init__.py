"""Heads: embedding [B, D] to logits [B, N], training only."""
