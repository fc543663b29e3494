"""Embedding more photographs than memory holds, on one machine or many."""
