"""Studies of `experiments.study`: one protocol, many blocks and seeds."""
