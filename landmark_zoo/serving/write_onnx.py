"""An exported model as ONNX."""

import tempfile
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant

OPSET = 17


def write_onnx(saved_model: str | Path, path: str | Path) -> None:
    """Converts the signature `images`, normalisation folded into convolutions; N, H and W stay free.

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
    with tempfile.TemporaryDirectory() as folder:
        write_variant(saved_model, Path(folder) / "folded", VARIANTS["cpu"]["folded"])
        loaded = tf.saved_model.load(str(Path(folder) / "folded"))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])
    def images(images):
        return {"embedding": loaded.signatures["images"](images=images)["embedding"]}

    try:
        model, _ = tf2onnx.convert.from_function(images, input_signature=images.input_signature, opset=OPSET)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise UserError(f"a model that tf2onnx can convert at {saved_model}", str(error).strip().splitlines()[-1],
                        "Use the SavedModel.") from error
    Path(path).write_bytes(model.SerializeToString())
