"""Retrieval metrics on plain numpy arrays."""
