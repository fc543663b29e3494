"""Photographs to records to batches."""
