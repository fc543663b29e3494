"""Errors, files, registries, command lines: the ground floor, which imports nothing of the project above it."""
