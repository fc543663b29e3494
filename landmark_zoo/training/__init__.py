"""Training: from records and a model to checkpoints, under `tf.distribute`."""
