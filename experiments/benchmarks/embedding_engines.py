"""One network in every form that can run here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from experiments.benchmarks.torch_resnet101 import torch_resnet101
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.in_child_process import in_child_process
from landmark_zoo.retrieval.engines.onnx_engine import OnnxEngine
from landmark_zoo.retrieval.engines.openvino_engine import OpenvinoEngine
from landmark_zoo.retrieval.engines.tensorflow_engine import TensorflowEngine
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant
from landmark_zoo.serving.write_onnx import write_onnx

Embed = Callable[[np.ndarray], object]


def embedding_engines(model: tf.keras.Model, exported: Path, folder: str | Path) -> tuple[dict[str, Embed], dict[str, str]]:
    """Returns functions from float32 [N, H, W, 3] to embeddings by name, and why others are absent.

    Args:
        model: The network as Keras has it.
        exported: Its SavedModel.
        folder: Gets the other forms.
    """
    def variant(name: str) -> Embed:
        in_child_process(write_variant, exported, Path(folder) / name, VARIANTS["cpu"][name])
        return TensorflowEngine(EmbeddingModel(Path(folder) / name)).embed_images

    def onnx() -> Embed:
        in_child_process(write_onnx, exported, Path(folder) / "model.onnx")
        return OnnxEngine(Path(folder) / "model.onnx").embed_images

    makers = {
        "keras call": lambda: lambda images: model(images, training=False)["embedding"].numpy(),
        "savedmodel": lambda: TensorflowEngine(EmbeddingModel(exported)).embed_images,
        **{f"savedmodel {name}": lambda name=name: variant(name) for name in VARIANTS["cpu"]},
        "onnxruntime": onnx,
        "openvino f32": lambda: OpenvinoEngine(exported, "f32").embed_images,
        "openvino bf16": lambda: OpenvinoEngine(exported, "bf16").embed_images,
        "pytorch resnet101": _pytorch,
    }
    found, absent = {}, {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except UserError as error:
            absent[name] = str(error)
    return found, absent


def _pytorch() -> Embed:
    """Returns ResNet-101, eager, whatever network the others run."""
    try:
        import torch
        network = torch_resnet101()
    except ImportError as error:
        raise UserError("the package torch", "none installed", "Install it to compare.") from error

    def embed(images: np.ndarray) -> object:
        with torch.inference_mode():
            return network(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()).numpy()

    return embed
