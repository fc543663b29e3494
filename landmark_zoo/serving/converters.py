"""Conversion to ONNX and TFLite, verified against the SavedModel's embeddings."""

import gc
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated
from tensorflow.lite.tools import flatbuffer_utils

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write
from landmark_zoo.data.image_ops import decode_image, resize_long_side, resize_square
from landmark_zoo.saved_model import FINGERPRINT_KEY, fingerprint_of
from landmark_zoo.serving.freeze import freeze

OPSET = 17


def write_onnx(saved_model: str | Path, path: str | Path) -> None:
    """Converts the signature `images`, its resize to the model's side included; N, H and W stay free.

    What `images` refuses (NaN, sides below 32 pixels) the file does not, as ONNX knows no assertion.
    ONNX Runtime folds normalisation when it loads the file.

    The file's metadata state the fingerprint of the model.

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
            freeze(saved_model, Path(folder) / "frozen")
            model = _converted(tf2onnx, Path(folder) / "frozen")
    model.metadata_props.add(key=FINGERPRINT_KEY, value=fingerprint_of(saved_model))
    with atomic_write(path, "wb") as file:
        file.write(model.SerializeToString())


def _converted(tf2onnx: Any, saved_model: str | Path) -> Any:
    loaded = tf.saved_model.load(str(saved_model))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="images")], autograph=False)
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


def write_tflite(saved_model: str | Path, path: str | Path, height: int, width: int, precision: str,
                 representative: Sequence[np.ndarray] = ()) -> None:
    """Converts the signature `images` for one picture of one size.

    TFLite has no decoder, so pixels go in; input and output stay float32, whatever is inside. Sizes other than the model's
    side are resized to it inside, as by `images`. The file's metadata state the fingerprint of the model.

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
        freeze(saved_model, Path(folder) / "frozen")
        loaded = tf.saved_model.load(str(Path(folder) / "frozen"))

    @tf.function(input_signature=[tf.TensorSpec([1, height, width, 3], tf.float32, name="images")], autograph=False)
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
    with atomic_write(path, "wb") as file:
        file.write(_with_metadata(content, FINGERPRINT_KEY, fingerprint_of(saved_model)))


def _with_metadata(content: bytes, name: str, text: str) -> bytes:
    """Returns a TFLite model with one more entry in its metadata."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    buffer, entry = schema_py_generated.BufferT(), schema_py_generated.MetadataT()
    buffer.data, entry.name, entry.buffer = np.frombuffer(text.encode(), np.uint8), name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def tflite_metadata(path: str | Path) -> dict[str, bytes]:
    """Returns the metadata of a `.tflite` file by name, e.g. the fingerprint of the model that it is a copy of."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(Path(path).read_bytes()))
    data = {entry.name.decode(): model.buffers[entry.buffer].data for entry in model.metadata or []}
    return {name: b"" if content is None else bytes(bytearray(content)) for name, content in data.items()}


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


def min_cosine_similarity(saved_model: str | Path, embed: Callable[[np.ndarray], np.ndarray], images: Sequence[np.ndarray],
             least: float) -> float:
    """Returns the smallest cosine between the embeddings of `embed` and those of the signature `images`.

    Args:
        saved_model: `<name>/<version>`.
        embed: From float32 [1, H, W, 3] to [1, D].
        images: Pictures, float32 [1, H, W, 3] each.
        least: A smaller cosine is refused.

    Raises:
        UserError: An embedding is further away, or there are no pictures.
    """
    if not images:
        raise UserError("pictures to compare embeddings on", "none", "Check the folder of pictures.")
    loaded = tf.saved_model.load(str(saved_model))
    cosines = []
    for image in images:
        expected = loaded.signatures["images"](images=tf.constant(image))["embedding"].numpy()[0]
        found = embed(image)[0]
        length = float(np.linalg.norm(found)) or 1.0
        cosines.append(float(expected @ found) / length)
    smallest = float(np.nan_to_num(cosines, nan=-1.0).min())
    if smallest < least:
        raise UserError(f"embeddings with a cosine of {least:g} or more to the SavedModel's", f"{smallest:.4f}",
                        "Nothing was written; use another precision, or more representative pictures.")
    return smallest


def image_at_side(encoded: bytes, side: int, square: bool = False) -> np.ndarray:
    """Returns float32 [1, h, w, 3], the longer side `side`; with `square` both sides, whatever that does to the shape.

    Args:
        encoded: JPEG, PNG, BMP or GIF.
        side: Pixels.
        square: For engines that take one size only.
    """
    resize = resize_square if square else resize_long_side
    return resize(decode_image(tf.constant(encoded)), side)[tf.newaxis].numpy()
