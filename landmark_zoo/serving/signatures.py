"""The signatures of an exported model.

    serving_default(image_bytes: string[N]) -> {"embedding": float32[N, D]}
    images(images: float32[N, H, W, 3]) -> {"embedding": float32[N, D]}
    crop(image_bytes: string[N], box: float32[N, 4]) -> {"embedding": float32[N, D]}
    resized(images: float32[N, H, W, 3]) -> {"embedding": float32[N, D]}
    info() -> constants
    local(images: float32[N, H, W, 3]) -> {"features": float32[N, h, w, C], "scores": float32[N, h, w]}
    attention(images: float32[N, H, W, 3]) -> {name of a map: float32[N, 1 or h, 1 or w, 1 or C]}
    keypoints(images: float32[N, H, W, 3], count: int32[]) -> {"keypoints": float32[N, K, 2],
        "descriptors": float32[N, K, C], "scores": float32[N, K]}

`serving_default` turns JPEG and PNG as their EXIF orientation says, as the records do, and resizes by the model's test
protocol (`data.protocol`); `images` resizes likewise, and takes any size of 32 pixels or more each way. A box is x0, y0, x1,
y1 in pixels of the image as it is stored; it is cut out before anything is resized, and not turned. `resized` is for images
that have their size already, and only where that of a crop is none of an image. What would give other pixels than Pillow
reads, is too large or too small, or is no number, ends in InvalidArgumentError with the reason.

`local` is for re-ranking, and only where a model has a feature map; it resizes nothing. Its features are the model's output
"local_features" where there is one, else its feature map, of length 1 where `info`'s `local_unit` says so (not those of
HOW); its scores say which locations to take: the model's "attention/score" (DELF, DELG), else the lengths of the vectors of
HOW's or the model's feature map. `info`'s `local_stride` and `local_offset` are the pixels between two locations and before
the first; where `local_even` is true, the locations divide every image evenly, and are about so far apart.

`attention` shows what the model looked at, only where it has such maps; it resizes as `images` does, so that they are those
behind the embedding, of several scales behind that of scale 1. Names are those of the model's outputs ("attention/se"),
"class_activation" (of the class that wins, where the classifier left with the model) and "feature_norm" (the length of the
pooled features); an ensemble puts the member's name and a slash before them. Attention to channels alone is [N, 1, 1, C].
`info` lists the names as `attention_maps` and, in the same order, as `attention_kinds` what the values mean: gate, share,
score and norm are 0 or more, signed is any number (`inspection.MAP_MEANINGS`).

`keypoints` is there where a network finds points (XFeat; DELF and DELG of `export.wrap`): at most `count` of each image,
best first, x and y in pixels of the image as it is given; K is the most that one of them has. Rows beyond an image's points
are zeros. It resizes nothing;
`export.matcher` writes what matches such points.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from landmark_zoo.data.datasets.images import MAX_PIXELS
from landmark_zoo.data.image_headers import FORMATS, read_header, turn_upright
from landmark_zoo.data.image_ops import MIN_SIDE, decode_image
from landmark_zoo.data.resampling import fit_image, fit_images
from landmark_zoo.serving.network import Embedder


def decode_checked(image_bytes: tf.Tensor, position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes one image; what cannot be ends in InvalidArgumentError with the reason and the position in the batch.

    The header is read before anything is decoded. TensorFlow's own decoder fails without saying which of many images it was:
    a data set of one element turns its failure into an empty result, which an assertion can name.

    Args:
        image_bytes: Scalar string.
        position: Scalar int.

    Returns:
        The image as stored, uint8 [H, W, 3], and its EXIF orientation, 1 to 8, int64 scalar.
    """
    header = read_header(image_bytes)
    good = _assert_image(header.fault == "", header.fault, position)
    with tf.control_dependencies([good]):
        encoded = tf.identity(image_bytes)
    nothing = tf.data.Dataset.from_tensors(tf.zeros([0, 0, 3], tf.uint8))
    decoded = tf.data.Dataset.from_tensors(encoded).map(lambda data: decode_image(data, accurate=True))
    image = decoded.ignore_errors().concatenate(nothing).take(1).get_single_element()
    image = tf.ensure_shape(image, [None, None, 3])
    whole = _assert_image(tf.size(image) > 0, "one that is damaged or cut off", position)
    with tf.control_dependencies([whole]):
        return tf.identity(image), header.orientation


def _assert_image(condition: tf.Tensor, received: str | tf.Tensor, position: tf.Tensor) -> tf.Operation | None:
    return tf.debugging.Assert(condition, [tf.strings.join([
        f"Expected a whole image in {FORMATS}; received ", received, tf.strings.format(" at position {}.", position)])])


def crop_checked(image: tf.Tensor, box: tf.Tensor, position: tf.Tensor, down: bool = False) -> tf.Tensor:
    """Cuts a box out of one picture; a wrong one ends in InvalidArgumentError with box and position in the batch.

    Corners are rounded to whole pixels, halves to even ones, as `retrieval.crop` does.

    Args:
        image: [H, W, 3].
        box: float32 [4]: x0, y0, x1, y1 in pixels of the image; x1 and y1 are the first outside.
        position: Scalar int.
        down: Round corners down instead.

    Returns:
        [y1 - y0, x1 - x0, 3].
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    corners = tf.where(tf.math.is_finite(box), box, -1.0)
    x0, y0, x1, y1 = tf.unstack(tf.cast(tf.floor(corners) if down else tf.round(corners), tf.int32))
    fits = (tf.reduce_all(tf.math.is_finite(box) & (box >= 0))
            & (x0 < x1) & (x1 <= width) & (y0 < y1) & (y1 <= height))
    good = tf.debugging.Assert(fits, [tf.strings.format(
        "Expected a box x0,y0,x1,y1 with 0 <= x0 < x1 <= {} and 0 <= y0 < y1 <= {}; received {} at position {}.",
        (width, height, box, position), summarize=4)])
    with tf.control_dependencies([good]):
        return image[y0:y1, x0:x1]


def pad_empty_batch(function: Callable[[tf.Tensor], dict[str, tf.Tensor]], images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns what `function` gives for `images`; in the place of no pictures it gets a black one, whose rows are cut off.

    Args:
        function: From float32 [B, H, W, 3] to tensors [B, ...].
        images: float32 [N, H, W, 3]; N, and then H and W, may be 0.
    """
    count = tf.shape(images)[0]
    missing = tf.cast(count == 0, tf.int32)
    paddings = tf.stack([0, missing, 0, MIN_SIDE * missing, 0, MIN_SIDE * missing, 0, 0])
    padded = tf.ensure_shape(tf.pad(images, tf.reshape(paddings, [4, 2])), [None, None, None, 3])
    return {name: rows[:count] for name, rows in function(padded).items()}


def check_pixels(images: tf.Tensor) -> tf.Tensor:
    """Returns images; those that are too small, and pixels that are no numbers, end in InvalidArgumentError.

    Args:
        images: float32 [N, H, W, 3]; without images, H and W may be anything.
    """
    count, height, width, _ = tf.unstack(tf.shape(images))
    sides = tf.debugging.Assert((count == 0) | (tf.minimum(height, width) >= MIN_SIDE), [tf.strings.format(
        f"Expected images of {MIN_SIDE} pixels or more each way; received {{}} x {{}} pixels.", (height, width))])
    finite = tf.reduce_all(tf.math.is_finite(images), axis=[1, 2, 3])
    numbers = tf.debugging.Assert(tf.reduce_all(finite), [tf.strings.format(
        "Expected pixels from 0 to 255; received NaN or an infinite number at position {}.",
        tf.argmin(tf.cast(tf.concat([finite, [False]], 0), tf.int32)))])
    with tf.control_dependencies([sides, numbers]):
        return tf.identity(images)


NAMES = ("serving_default", "images", "crop", "resized", "info", "local", "attention", "keypoints")
FACTS = {"formats": FORMATS, "min_side": MIN_SIDE, "max_pixels": MAX_PIXELS,
         "orientation": "serving_default turns as EXIF says; the other signatures take pixels as they are stored"}
"""What `info` says of all exports. Those without "orientation" do not turn images, and `images` resizes none."""
_BYTES = tf.TensorSpec([None], tf.string, name="image_bytes")
_BOX = tf.TensorSpec([None, 4], tf.float32, name="box")
_IMAGES = tf.TensorSpec([None, None, None, 3], tf.float32, name="images")


class Signatures(tf.Module):
    """Puts an embedder behind its signatures.

    Encoded pictures go through one after another: each has its own size, and so no more than one lies decoded in memory,
    at three bytes a pixel.

    Args:
        embedder: Gives the embedding, and its facts for `info`.
        info: More facts for `info`: strings, ints, floats or lists of them.
    """

    def __init__(self, embedder: Embedder, info: Mapping[str, object]):
        super().__init__(name="landmark_model")
        self.embedder = embedder
        constants = {key: info_constant(value) for key, value in {**embedder.facts, **FACTS, **info}.items()}

        protocol = embedder.protocol
        alike = protocol.resize == "bilinear"  # both axes: then an image is turned when it is small

        def embed_one(image: tf.Tensor, orientation: tf.Tensor | None = None, whole: tf.Tensor | None = None) -> tf.Tensor:
            if orientation is not None and not alike:
                image = turn_upright(image, orientation)
            image = fit_image(image, protocol, whole)
            if orientation is not None and alike:
                image = turn_upright(image, orientation)
            return embedder(image[tf.newaxis])[0]

        def cut(image_bytes: tf.Tensor, box: tf.Tensor, position: tf.Tensor) -> tuple[tf.Tensor, None, tf.Tensor]:
            image, _ = decode_checked(image_bytes, position)
            part = crop_checked(image, box, position, down=protocol.box_rounding == "floor")
            return part, None, tf.reduce_max(tf.shape(image)[:2])

        def embed_each(read: Callable[[tuple], tuple], inputs: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
            return {"embedding": tf.map_fn(lambda one: embed_one(*read(one)), inputs, parallel_iterations=1,
                                           fn_output_signature=tf.TensorSpec([embedder.dimension], tf.float32))}

        @tf.function(input_signature=[_BYTES])
        def serving_default(image_bytes):
            return embed_each(lambda one: decode_checked(*one), (image_bytes, tf.range(tf.size(image_bytes))))

        @tf.function(input_signature=[_BYTES, _BOX])
        def crop(image_bytes, box):
            count = tf.size(image_bytes)
            paired = tf.debugging.Assert(tf.shape(box)[0] == count, [tf.strings.format(
                "Expected a box for each of {} pictures; received {} boxes.", (count, tf.shape(box)[0]))])
            with tf.control_dependencies([paired]):
                return embed_each(lambda one: cut(*one), (image_bytes, box, tf.range(count)))

        @tf.function(input_signature=[_IMAGES])
        def images(images):
            images = fit_images(check_pixels(images), protocol)
            return pad_empty_batch(lambda batch: {"embedding": embedder(batch)}, images)

        @tf.function(input_signature=[_IMAGES])
        def resized(images):
            return pad_empty_batch(lambda batch: {"embedding": embedder(batch)}, check_pixels(images))

        @tf.function(input_signature=[])
        def info_signature():
            return {key: tf.identity(value) for key, value in constants.items()}

        @tf.function(input_signature=[_IMAGES])
        def local(images):
            return pad_empty_batch(embedder.local, check_pixels(images))

        @tf.function(input_signature=[_IMAGES])
        def attention(images):
            return pad_empty_batch(embedder.attention, fit_images(check_pixels(images), protocol))

        @tf.function(input_signature=[_IMAGES, tf.TensorSpec([], tf.int32, name="count")])
        def keypoints(images, count):
            enough = tf.debugging.Assert(count > 0, [tf.strings.format(
                "Expected a count of 1 or more; received {}.", count)])
            with tf.control_dependencies([enough]):
                count = tf.identity(count)
            return pad_empty_batch(lambda batch: embedder.keypoints(batch, count), check_pixels(images))

        self.serving_default, self.images, self.crop, self.info = serving_default, images, crop, info_signature
        if protocol.crops_apart:
            self.resized = resized
        if embedder.has_local:
            self.local = local
        if embedder.has_attention:
            self.attention = attention
        if embedder.has_keypoints:
            self.keypoints = keypoints

    def functions(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """Returns the signatures by name, as `tf.saved_model.save` asks for them."""
        return {name: getattr(self, name) for name in NAMES if hasattr(self, name)}


def info_constant(value: object) -> tf.Tensor:
    """Returns a constant that gives a Python float back as it is."""
    floats = value if isinstance(value, list | tuple) else [value]
    return tf.constant(value, tf.float64 if any(isinstance(item, float) for item in floats) else None)
