"""Poolings: feature map [B, H, W, C] to vector [B, D]."""
