"""Keras layers: attention, pooling, embedding and heads. Each is a shell round a plain function."""
