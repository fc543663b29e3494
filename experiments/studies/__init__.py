"""What `experiments.study` compares, and how: one protocol, many blocks and seeds."""
