"""Retrieval networks and backbones that others have published for PyTorch, as Keras models."""
