"""Benchmarks, protocols, and runs that end in a metrics file."""
