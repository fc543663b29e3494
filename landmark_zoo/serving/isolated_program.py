"""Checks a SavedModel where this project cannot be imported; `serving.isolated_check` starts it with `python -I`.

    python -I isolated_program.py SAVED_MODEL OUTPUT PICTURE [PICTURE ...]

Writes `OUTPUT/embedding.npy` [N, D] and `OUTPUT/report.json`; what is wrong ends it with one line and exit code 1. It
imports TensorFlow and numpy alone and runs under newer versions of both.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.pop("TF_USE_LEGACY_KERAS", None)  # TensorFlow 2.15 would look for tf_keras

REQUIRED = ("serving_default", "images", "info")
FACTS = ("name", "dimension", "scales", "side", "resize", "aggregation", "whitening", "preprocessing")
LENGTH = 1e-3
EQUAL, EQUAL_IN_16_BITS = 1e-4, 2e-2  # largest difference of two embeddings that should be one
EQUAL_IN_WHOLE_LEVELS = 1e-3  # where the resize rounds to whole gray levels, in `images` from other digits
MIN_SIDE = 32  # of `data.resize`
JPEG = b"\xff\xd8\xff"


class _Block:
    """Refuses to import this project, wherever it is installed."""

    def find_spec(self, name, path=None, target=None):
        """Raises ImportError for this project's packages."""
        if name.split(".")[0] in ("landmark_zoo", "experiments", "export"):
            raise ImportError(name)


if __name__ == "__main__":
    sys.meta_path.insert(0, _Block())

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def main(path: str, output: str, files: list[str]) -> None:
    """Loads, checks, writes."""
    loaded = tf.saved_model.load(path)
    missing = [name for name in REQUIRED if name not in loaded.signatures]
    if missing:
        sys.exit(f"no signature {', '.join(missing)}")
    images = []
    for file in files:
        with open(file, "rb") as stream:
            images.append(without_exif(stream.read()))
    facts = check_info(loaded)
    tolerance = EQUAL_IN_16_BITS if computes_in_16_bits(loaded) else EQUAL
    embedding = check_bytes(loaded, images, int(facts["dimension"]), tolerance)
    any_size = "orientation" in facts  # older exports neither turn images nor resize those of `images`
    own = facts.get("resize_rule", "bilinear") == "bilinear" and facts.get("enlarge", True)
    check_images(loaded, images, embedding, int(facts["side"]), tolerance, any_size, own)
    if any_size:
        check_orientation(loaded, images, tolerance)
    if "crop" in loaded.signatures:
        check_crop(loaded, images, embedding, tolerance)
    if "local" in loaded.signatures:
        check_local(loaded, bool(facts.get("local_unit", True)))
    if "attention" in loaded.signatures:
        check_attention(loaded, facts)
    np.save(os.path.join(output, "embedding.npy"), embedding)
    signatures = {name: {"inputs": {key: str(spec) for key, spec in function.structured_input_signature[1].items()},
                         "outputs": {key: str(spec) for key, spec in function.structured_outputs.items()}}
                  for name, function in loaded.signatures.items()}
    with open(os.path.join(output, "report.json"), "w", encoding="utf-8") as stream:
        json.dump({"signatures": signatures, "info": facts, "tolerance": tolerance, "tensorflow": tf.__version__,
                   "python": ".".join(map(str, sys.version_info[:3]))}, stream)


def check_info(loaded) -> dict:
    """Returns the facts of `info` as JSON values; those that a protocol card needs must be there."""
    facts = {key: _json_value(value.numpy()) for key, value in loaded.signatures["info"]().items()}
    missing = [name for name in FACTS if name not in facts]
    if missing:
        sys.exit(f"info() without {', '.join(missing)}")
    stated = loaded.signatures["serving_default"].structured_outputs["embedding"].shape[-1]
    if stated not in (None, facts["dimension"]):
        sys.exit(f"info() with dimension {facts['dimension']}, but embeddings of dimension {stated}")
    return facts


def computes_in_16_bits(loaded) -> bool:
    """Returns whether the network computes in bfloat16 or float16 somewhere."""
    graph = loaded.signatures["images"].graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    short = (tf.bfloat16.as_datatype_enum, tf.float16.as_datatype_enum)
    return any(attribute.type in short for node in nodes for attribute in node.attr.values())


def check_bytes(loaded, images: list[bytes], dimension: int, tolerance: float = EQUAL) -> np.ndarray:
    """Returns the embeddings [N, D] of all pictures in one call, after checks of `serving_default`."""
    def embed(encoded):
        return loaded.signatures["serving_default"](image_bytes=tf.constant(encoded, tf.string))["embedding"].numpy()

    embedding = embed(images)
    if embedding.shape != (len(images), dimension) or embed([]).shape != (0, dimension):
        sys.exit(f"serving_default gives {embedding.shape} and, without pictures, {embed([]).shape}")
    lengths = np.linalg.norm(embedding, axis=1)
    if not np.all(np.abs(lengths - 1) <= LENGTH):
        sys.exit(f"serving_default gives embeddings of lengths {lengths.tolist()}, not 1")
    _compare("serving_default of all pictures at once", embedding, "of one after another",
             np.concatenate([embed([image]) for image in images]), tolerance)
    _refused("serving_default", lambda: embed([*images, b"no picture"]), len(images))
    return embedding


def check_orientation(loaded, encoded_images: list[bytes], tolerance: float = EQUAL) -> None:
    """Checks that an EXIF orientation of 6 is a quarter turn, and that damaged EXIF is none."""
    def embed(encoded):
        return loaded.signatures["serving_default"](image_bytes=tf.constant([encoded]))["embedding"].numpy()

    for encoded in encoded_images:
        if encoded[:3] == JPEG:
            image = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True)
            turned = embed(tf.io.encode_png(tf.image.rot90(image, 3)).numpy())
            for order, six in (("MM", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0\6"),
                               ("II", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0")):
                _compare(f"serving_default of orientation 6 ({order})", embed(with_exif(encoded, six + bytes(6))),
                         "of the turned image", turned, tolerance)
            _compare("serving_default with damaged EXIF", embed(with_exif(encoded, b"II*\0\xff\xff\xff")),
                     "without", embed(encoded), tolerance)
            return


def with_exif(jpeg: bytes, tiff: bytes) -> bytes:
    """Returns a JPEG with EXIF at its beginning."""
    return jpeg[:2] + b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff + jpeg[2:]


def without_exif(encoded: bytes) -> bytes:
    """Returns a JPEG without EXIF and XMP, which say how to turn it; other bytes come back as they are."""
    start = 2
    while encoded[:3] == JPEG and encoded[start:start + 1] == b"\xff" and encoded[start + 1:start + 2] != b"\xda":
        end = start + 2 + int.from_bytes(encoded[start + 2:start + 4], "big")
        if encoded[start + 1] == 0xE1:
            encoded, end = encoded[:start] + encoded[end:], start
        start = end
    return encoded


def check_images(loaded, encoded_images: list[bytes], embedding: np.ndarray, side: int, tolerance: float = EQUAL,
                 any_size: bool = False, resized: bool = True) -> None:
    """Checks that JPEGs decoded here give the same embedding through `images`, `resized` here, and with `any_size` not."""
    embed = loaded.signatures["images"]
    for encoded, expected in zip(encoded_images, embedding, strict=True):
        if encoded[:3] == JPEG:
            image = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True)
            if resized:
                found = embed(images=_resize_long_side(image, side)[None])["embedding"].numpy()
                _compare("images", found[0], "serving_default", expected, tolerance)
            if any_size:
                found = embed(images=tf.cast(image, tf.float32)[None])["embedding"].numpy()
                _compare("images of another size", found[0], "serving_default", expected,
                         tolerance if resized else max(tolerance, EQUAL_IN_WHOLE_LEVELS))
    shape = embed(images=tf.zeros([0, side, side, 3]))["embedding"].shape
    if tuple(shape) != (0, embedding.shape[1]):
        sys.exit(f"images gives {tuple(shape)} without pictures")


def check_crop(loaded, images: list[bytes], embedding: np.ndarray, tolerance: float = EQUAL) -> None:
    """Checks that a box round the whole picture changes nothing, and that wrong boxes and bytes are named."""
    def embed(encoded, boxes):
        return loaded.signatures["crop"](image_bytes=tf.constant(encoded, tf.string),
                                         box=tf.constant(boxes, tf.float32, [len(boxes), 4]))["embedding"].numpy()

    sizes = [tf.shape(tf.io.decode_image(image, channels=0, expand_animations=False)).numpy() for image in images]
    whole = [[0.0, 0.0, float(size[1]), float(size[0])] for size in sizes]
    _compare("crop to the whole picture", embed(images, whole), "serving_default", embedding, tolerance)
    if embed([], []).shape != (0, embedding.shape[1]):
        sys.exit(f"crop gives {embed([], []).shape} without pictures")
    x0, y0, x1, y1 = whole[-1]
    for wrong in ([x0, y0, x1 + 1, y1], [x1, y0, x0, y1]):
        _refused("crop", lambda wrong=wrong: embed(images, [*whole[:-1], wrong]), len(images) - 1)
    _refused("crop", lambda: embed([*images, b"no picture"], [*whole, [0.0, 0.0, 1.0, 1.0]]), len(images))


def check_local(loaded, unit: bool = True) -> None:
    """Checks shapes of `local` and, with `unit`, lengths."""
    images = tf.random.stateless_uniform([2, 96, 64, 3], [0, 0], maxval=255.0)
    found = {key: value.numpy() for key, value in loaded.signatures["local"](images=images).items()}
    lengths = np.linalg.norm(found["features"], axis=-1)
    good = np.all(lengths <= 1 + LENGTH if unit else np.isfinite(lengths))  # a feature of zeros stays one
    if found["features"].shape[:3] != found["scores"].shape or not good:
        sys.exit(f"local gives features {found['features'].shape} of length {lengths.min():.4f} to {lengths.max():.4f}, "
                 f"scores {found['scores'].shape}")


def check_attention(loaded, facts: dict) -> None:
    """Checks that `info` names the maps and their kinds, that they are finite [N, h, w, c], and that no images give none."""
    names, kinds = (facts.get(key, []) for key in ("attention_maps", "attention_kinds"))
    images = tf.random.stateless_uniform([2, 96, 64, 3], [0, 0], maxval=255.0)
    found = {key: value.numpy() for key, value in loaded.signatures["attention"](images=images).items()}
    if set(found) != set(names) or len(names) != len(kinds):
        sys.exit(f"attention gives {', '.join(sorted(found))}, but info() states {', '.join(names)}; {', '.join(kinds)}")
    for name, kind in zip(names, kinds, strict=True):
        values = found[name]
        if values.dtype != np.float32 or values.ndim != 4 or len(values) != 2 or not np.isfinite(values).all():
            sys.exit(f"attention gives {name} as {values.dtype} {values.shape}, or values that are not finite")
        if kind != "signed" and values.min() < 0:
            sys.exit(f"attention gives {name}, whose kind is {kind}, values down to {values.min():.2g}")
    none = loaded.signatures["attention"](images=tf.zeros([0, 96, 64, 3]))
    if any(len(values) for values in none.values()):
        sys.exit("attention gives maps without images")


def _compare(what: str, found: np.ndarray, other: str, expected: np.ndarray, tolerance: float) -> None:
    difference = np.abs(found - expected).max(initial=0)
    if not difference <= tolerance:
        sys.exit(f"{what} and {other} differ by {difference:.2g}")


def _refused(signature: str, call, position: int) -> None:
    try:
        call()
    except tf.errors.InvalidArgumentError as error:
        if f"position {position}" not in error.message:
            sys.exit(f"{signature} refuses a bad picture without its position: {_reason(error)}")
    else:
        sys.exit(f"{signature} accepts a bad picture or box at position {position}")


def _reason(error) -> str:
    """Returns the line of TensorFlow's message that says something."""
    about_the_graph = ("Graph execution error", "Detected at node", "<stack traces", "[[", "\t", " ")
    lines = [line for line in str(error).splitlines() if line and not line.startswith(about_the_graph)]
    return (lines or ["no message"])[-1]


def _resize_long_side(image: tf.Tensor, side: int) -> tf.Tensor:
    height, width = image.shape[:2]
    long = max(height, width)
    size = [max(MIN_SIDE, (2 * edge * side + long) // (2 * long)) for edge in (height, width)]
    return tf.cast(tf.image.resize(image, size, method="bilinear", antialias=True), tf.float32)


def _json_value(value):
    if isinstance(value, np.ndarray):
        return [_json_value(item) for item in value]
    return value.decode() if isinstance(value, bytes) else getattr(value, "tolist", lambda: value)()


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], sys.argv[3:])
    except (OSError, ValueError, tf.errors.OpError) as error:
        sys.exit(f"{type(error).__name__}: {_reason(error)}")
