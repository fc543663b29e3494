"""Datasets: where public collections come from, how they are laid out, and how their image lists are read."""
