"""Queries and index images moved towards their neighbours in the index."""
