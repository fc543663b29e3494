"""Measurements of `experiments.bench`, one file per subject."""
