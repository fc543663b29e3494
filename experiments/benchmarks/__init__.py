"""What `experiments.bench` measures, one file per question."""
