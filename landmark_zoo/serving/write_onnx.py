"""An exported model as ONNX."""

import gc
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant

OPSET = 17


def write_onnx(saved_model: str | Path, path: str | Path) -> None:
    """Converts the signature `images`; N, H and W stay free. ONNX Runtime folds normalisation when it loads the file.

    Args:
        saved_model: `<name>/<version>`.
        path: The `.onnx` file: input `images` float32 [N, H, W, 3], output `embedding` float32 [N, D].

    Raises:
        UserError: tf2onnx is not installed, or does not know an operation of the model.
    """
    try:
        import tf2onnx
    except ImportError as error:
        raise UserError("the package tf2onnx", "none installed", "pip install landmark_zoo[export].") from error
    model = _converted(tf2onnx, saved_model)
    if [given.name for given in model.graph.input] != ["images"]:  # captured tensors are no variables, and were not frozen
        with tempfile.TemporaryDirectory() as folder:
            write_variant(saved_model, Path(folder) / "frozen", VARIANTS["cpu"]["frozen"])
            model = _converted(tf2onnx, Path(folder) / "frozen")
    Path(path).write_bytes(model.SerializeToString())


def _converted(tf2onnx: Any, saved_model: str | Path) -> Any:
    loaded = tf.saved_model.load(str(saved_model))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])
    def images(images):
        return {"embedding": loaded.signatures["images"](images=images)["embedding"]}

    gc.freeze()  # else TensorFlow's many objects put collections off, and tf2onnx' copies of the graph pile up
    try:
        return tf2onnx.convert.from_function(images, input_signature=images.input_signature, opset=OPSET)[0]
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise UserError(f"a model that tf2onnx can convert at {saved_model}", str(error).strip().splitlines()[-1],
                        "Use the SavedModel.") from error
    finally:
        gc.unfreeze()
