"""From a trained model to a SavedModel that needs no code of ours."""
