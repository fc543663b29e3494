"""The public collections: which files they consist of, where those are, and what they unpack to."""
