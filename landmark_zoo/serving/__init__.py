"""Export of trained models as SavedModels that need no code of this project."""

from landmark_zoo.core.lazy import attach

_HERE = "landmark_zoo.serving"

__getattr__, __dir__, __all__ = attach(__name__, {
    "isolated_check": f"{_HERE}.check",
    "write_onnx": f"{_HERE}.converters",
    "write_tflite": f"{_HERE}.converters",
    "DelfSavedModel": f"{_HERE}.delf",
    "MultiScale": f"{_HERE}.embedders",
    "Whitened": f"{_HERE}.embedders",
    "WhiteningMap": f"{_HERE}.embedders",
    "embedder_of": f"{_HERE}.embedders",
    "Ensemble": f"{_HERE}.ensemble",
    "export_saved_model": f"{_HERE}.export",
    "write_saved_model": f"{_HERE}.export",
    "write_matcher": f"{_HERE}.matcher",
    "CardNotes": f"{_HERE}.model_card",
    "Network": f"{_HERE}.network",
    "PUBLISHED": "landmark_zoo.data.protocol",
    "Protocol": "landmark_zoo.data.protocol",
    "Scales": "landmark_zoo.data.protocol",
    "Signatures": f"{_HERE}.signatures",
})
