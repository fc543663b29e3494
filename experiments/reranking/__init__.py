"""Re-ranking experiments: what `experiments.thesis` is made of."""
