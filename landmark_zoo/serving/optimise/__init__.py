"""Faster SavedModels with the same signatures: constants instead of variables, folded normalisation, 16-bit convolutions."""
