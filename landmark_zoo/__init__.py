"""landmark_zoo: a TensorFlow/Keras model zoo for recognising and retrieving landmarks in photographs."""

__version__ = "0.1.0"
