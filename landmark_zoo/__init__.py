"""landmark_zoo: a TensorFlow/Keras model zoo for recognising and retrieving landmarks in images.

    import landmark_zoo as lz

    lz.list_models("resnet101_*")
    model = lz.create_model("resnet101_se", embedding_dim=512, weights="imagenet", num_classes=81313)

Names are imported on first use, so that `import landmark_zoo` alone loads no TensorFlow. Its layers and models are of
Keras 2: with a TensorFlow newer than 2.15, import landmark_zoo before tensorflow (it sets TF_USE_LEGACY_KERAS).
"""

from landmark_zoo.core.keras_version import choose_keras_2
from landmark_zoo.core.lazy import attach

__version__ = "0.1.0"

choose_keras_2()

_PACKAGES = ("backbones", "data", "evaluation", "layers", "losses", "metrics", "models", "report", "retrieval", "serving",
             "training")

__getattr__, __dir__, __all__ = attach(__name__, {
    **{package: f"landmark_zoo.{package}" for package in _PACKAGES},
    "list_models": "landmark_zoo.models.registry",
    "create_model": "landmark_zoo.models.registry",
    "ModelConfig": "landmark_zoo.models.registry",
    "TrainingConfig": "landmark_zoo.training.config",
    "ObjectiveConfig": "landmark_zoo.training.objectives",
    "SamplingConfig": "landmark_zoo.training.sampling",
    "run_training": "landmark_zoo.training.run",
    "export_saved_model": "landmark_zoo.serving.export",
    "load_model": "landmark_zoo.saved_model",
    "embed": "landmark_zoo.retrieval.embed",
    "EmbedConfig": "landmark_zoo.retrieval.embed",
    "build_index": "landmark_zoo.retrieval.index.build",
    "open_index": "landmark_zoo.retrieval.index.build",
    "read_benchmark": "landmark_zoo.evaluation.protocols",
    "evaluate": "landmark_zoo.evaluation.protocols",
})
__all__ += ["__version__"]
