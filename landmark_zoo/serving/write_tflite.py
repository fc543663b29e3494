"""An exported model as TFLite."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant


def write_tflite(saved_model: str | Path, path: str | Path, height: int, width: int, precision: str,
                 representative: Sequence[np.ndarray] = ()) -> None:
    """Converts the signature `images` for one picture of one size.

    TFLite has no decoder, so pixels go in; input and output stay float32, whatever is inside.

    Args:
        saved_model: `<name>/<version>`.
        path: The `.tflite` file: input float32 [1, height, width, 3], output float32 [1, D].
        height: Pixels.
        width: Pixels.
        precision: "fp16" (weights of 16 bits) or "int8" (weights and what flows between them).
        representative: For int8: pictures, float32 [1, height, width, 3] each, on which ranges are measured.

    Raises:
        UserError: int8 without pictures, or an operation that TFLite does not have.
    """
    if precision == "int8" and not representative:
        raise UserError("representative pictures for int8", "none", "Give --representative.")
    with tempfile.TemporaryDirectory() as folder:
        write_variant(saved_model, Path(folder) / "folded", VARIANTS["cpu"]["folded"])
        loaded = tf.saved_model.load(str(Path(folder) / "folded"))

    @tf.function(input_signature=[tf.TensorSpec([1, height, width, 3], tf.float32, name="images")])
    def images(images):
        return loaded.signatures["images"](images=images)["embedding"]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([images.get_concrete_function()], loaded)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    else:
        converter.representative_dataset = lambda: ([image] for image in representative)
    try:
        content = converter.convert()
    except Exception as error:  # ConverterError is not public
        raise UserError(f"a model that TFLite can convert at {saved_model}", str(error).strip().splitlines()[0],
                        "Use the SavedModel, or ONNX.") from error
    Path(path).write_bytes(content)


def tflite_embedder(path: str | Path) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a function from float32 [1, height, width, 3] to [1, D] that runs a `.tflite` file."""
    interpreter = tf.lite.Interpreter(str(path), num_threads=2)
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def embed(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(inputs, image)
        interpreter.invoke()
        return interpreter.get_tensor(outputs)

    return embed
