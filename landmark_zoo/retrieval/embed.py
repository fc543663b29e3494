"""Embedding of images: the one way from files to an `EmbeddingSet`.

Threads read images, decode them as `serving_default` does and bring them to the size of the model's test protocol, crops
as the signature `crop` does; the engine embeds batches of
one shape; every `shard_size` images the work is saved, so that an interrupted run goes on there. Memory does not grow with
the number of images, and several processes can share the work (`embed_shards`).
"""

import functools
import io
import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.errors import UserError, check_range
from landmark_zoo.core.files import lock_directory
from landmark_zoo.core.parallel import progress, read_ahead
from landmark_zoo.data.datasets.image_refs import ImageRef, model_input
from landmark_zoo.data.datasets.images import MAX_PIXELS, MIN_SIDE, InvalidImageError, read_bytes
from landmark_zoo.data.image_ops import decode_image
from landmark_zoo.data.protocol import Protocol
from landmark_zoo.data.resampling import fit_image
from landmark_zoo.retrieval.embedding_claim import claim_shards, is_up_to_date
from landmark_zoo.retrieval.embedding_set import EmbeddingSet, validate_embeddings
from landmark_zoo.retrieval.embedding_shards import EmbeddingShards, merge_shards
from landmark_zoo.retrieval.engines import Engine, TensorflowEngine, check_crops, check_engine
from landmark_zoo.retrieval.file_states import EmbeddedFile, FileState, Look, Read, list_checksum, look
from landmark_zoo.retrieval.image_sequence import ImageSequence
from landmark_zoo.saved_model import SavedModel


@dataclass(frozen=True)
class EmbedConfig:
    """Settings of `embed`.

    Attributes:
        batch_size: Images of one size per call of the model.
        shard_size: Images per file on disk; an interrupted run loses at most the one it was at.
        dtype: Numbers on disk, float32 or float16; the latter takes half the room and moves cosines by less than 0.001.
        apply_exif: Turn images as their EXIF orientation says; off for benchmarks whose boxes are in the pixels as stored
            (Oxford, Paris).
        strict: Stop at the first bad image instead of skipping it.
        num_shards: Processes that share the work, as in a SLURM job array; all get the same --output.
        shard: Number of this process among them, from 0; in a job array $SLURM_ARRAY_TASK_ID.

    Raises:
        UserError: A number or a dtype that is none of these.

    Example:
        >>> EmbedConfig(batch_size=8, dtype="float16").strict
        False
    """

    batch_size: int = 32
    shard_size: int = 1024
    dtype: str = "float32"
    apply_exif: bool = True
    strict: bool = False
    num_shards: int = 1
    shard: int = 0

    def __post_init__(self):
        if not 0 <= self.shard < self.num_shards:
            raise UserError(f"a shard from 0 to {self.num_shards - 1}", str(self.shard), "Check --shard and --num_shards.")
        if self.dtype not in ("float32", "float16"):
            raise UserError("the dtype float32 or float16", self.dtype, "Check --dtype.")
        for name in ("batch_size", "shard_size"):
            if getattr(self, name) < 1:
                raise UserError(f"a {name} of 1 or more", str(getattr(self, name)), f"Check --{name}.")
        for name, most in (("batch_size", 2**16), ("shard_size", 2**24), ("num_shards", 100_000)):
            check_range(name, getattr(self, name), maximum=most)


DEFAULT = EmbedConfig()


def embed(model: SavedModel, images: Sequence[ImageRef], output: str | Path, config: EmbedConfig = DEFAULT, *,
          engine: Engine | None = None, read: Read | None = None) -> EmbeddingSet:
    """Embeds images and writes an `EmbeddingSet` to `output`, with the bad ones in `skipped.csv`.

    The embeddings are those of `serving_default` on each image's bytes, up to the rounding of a batch (1e-6). Started
    again, it goes on with what is missing, and embeds what was changed or mended since: size and time of a file decide
    whether it is read again, its bytes whether it is embedded again. A finished set without such files is only read.

    Args:
        model: Exported model.
        images: Images to embed; no id twice.
        output: Folder of the set.
        config: Batches, shards, EXIF, strictness.
        engine: Runs the model; TensorFlow by default.
        read: From an image to the bytes of its file, where `path` is not a file; called in several threads.

    Returns:
        The embeddings in the order of `images`, without the bad ones. Its provenance holds the counts, a checksum of the
        images, the model's info and the versions.

    Raises:
        UserError: A bad image under `strict`, no usable image at all, a wrong box, a duplicate id, a folder that is in use
            or that holds embeddings of something else, or shards of other processes that are missing.

    Example:
        >>> import tempfile
        >>> from landmark_zoo.models import build_model
        >>> from landmark_zoo.serving.export import export_saved_model
        >>> folder = Path(tempfile.mkdtemp())
        >>> network = build_model("mobilenet", "se", alpha=0.25, embedding_dim=16, num_classes=3)
        >>> model = SavedModel(export_saved_model(network, folder / "model", side=64, info={}))
        >>> Image.linear_gradient("L").save(folder / "gradient.png")
        >>> found = embed(model, [ImageRef("gradient", folder / "gradient.png")], folder / "embeddings")
        >>> found.ids, found.vectors.shape
        (['gradient'], (1, 16))
    """
    missing = embed_shards(model, images, output, config, engine=engine, read=read)
    if missing:
        raise UserError(f"the shards of all {config.num_shards} processes in {output}", f"{missing} missing",
                        "Start the others with the same output.")
    merge_shards(output)
    return EmbeddingSet.load(output)


def embed_image(model: SavedModel, image: ImageRef) -> np.ndarray:
    """Returns the embedding of one image that the user named: float32 [1, D].

    Raises:
        UserError: A bad image or a wrong box.
    """
    try:
        return model.embed_resized(preparation(model.protocol)(image)[np.newaxis])
    except InvalidImageError as error:
        raise UserError(f"a photograph at {image.path}", error.reason, "Name another picture.") from error


def embed_shards(model: SavedModel, images: Iterable[ImageRef], output: str | Path, config: EmbedConfig = DEFAULT, *,
                 engine: Engine | None = None, read: Read | None = None) -> int:
    """Embeds this process's shards of the images; `merge_shards` makes one set of the shards of all processes.

    The list of images lies on disk, so that it may be a generator of any length. Shards that an earlier run or release left
    behind are gone on with where list, model, EXIF and shard size are the same, and refused otherwise.

    Args:
        model: Exported model.
        images: Images to embed; every process lists the same.
        output: Folder of the set. One that is finished is left as it is where no file was changed since.
        config: Batches, shards, EXIF, strictness, and which of the processes this is.
        engine: Runs the model; TensorFlow by default.
        read: From an image to the bytes of its file, where `path` is not a file; called in several threads.

    Returns:
        The number of shards, of any process, that are still missing.

    Raises:
        UserError: As `embed`.
    """
    output, engine = Path(output), engine or TensorflowEngine(model)
    check_engine(engine, model)
    folder, part = output / "shards", output / "shards" / f"part-{config.shard}-of-{config.num_shards}"
    with lock_directory(part):
        listed = ImageSequence.write(part / "listed.jsonl", images)
        claim = {"model_fingerprint": model.fingerprint, "apply_exif": config.apply_exif, "engine": engine.name,
                 **getattr(engine, "settings", {}), "dtype": config.dtype, "list_sha256": list_checksum(listed)}
        if is_up_to_date(output, claim, listed, config.strict):
            listed.path.unlink()
            return 0
        check_crops(engine, model, listed)
        claim_shards(output, {**claim, "shard_size": config.shard_size}, listed, model.info)
        listed.path = listed.path.replace(part / "pictures.jsonl")
        shards = EmbeddingShards(folder, listed, config.shard_size)
        _decode_and_resize(model.protocol)
        pixels = functools.partial(_pixels, model.protocol, config.apply_exif)
        _make_shards(functools.partial(look, pixels, read), engine, model.dimension, shards, config)
        return sum(not shards.exists(number) for number in shards.numbers)


def _pixels(protocol: Protocol, apply_exif: bool, image: ImageRef, data: bytes) -> np.ndarray:
    return preparation(protocol, apply_exif, lambda _: data)(image)


def _make_shards(look_at: Callable[[ImageRef, EmbeddedFile | None], Look], engine: Engine, dimension: int,
                 shards: EmbeddingShards, config: EmbedConfig) -> None:
    missing = shards.missing(config.strict, shards.numbers[config.shard::config.num_shards])
    for number in missing:
        shards.retire(number)  # at once, lest another process joins them as they were

    def todo() -> Iterator[tuple[ImageRef, EmbeddedFile | None]]:
        for number in missing:
            for image, known in zip(shards.images_of(number), shards.known(number), strict=True):
                yield image, None if known and known.skipped and config.strict else known

    sizes = [min(shards.size, len(shards.images) - number * shards.size) for number in missing]
    looks = read_ahead(lambda job: look_at(*job), todo(), 2 * config.batch_size)
    stream = progress(looks, "embedding", total=sum(sizes))
    for number, size in zip(missing, sizes, strict=True):
        before = shards.known_vectors(number)
        vectors, skipped, states = _embed_shard(engine, itertools.islice(stream, size), before, dimension, config)
        shards.save(number, vectors.astype(config.dtype), skipped, states)
    next(stream, None)


def _embed_shard(engine: Engine, stream: Iterator[Look], before: Mapping[str, np.ndarray], dimension: int,
                 config: EmbedConfig) -> tuple[np.ndarray, dict[str, str], list[FileState]]:
    """Returns the embeddings of the good images of a shard, in their order, id and reason of the bad ones, all states."""
    found: dict[str, np.ndarray] = {}
    skipped: dict[str, str] = {}
    order: list[Look] = []

    def good() -> Iterator[tuple[str, np.ndarray]]:
        for seen in stream:
            order.append(seen._replace(pixels=None))
            if seen.pixels is not None:
                yield seen.id, seen.pixels
            elif seen.skipped:
                skip(seen.id, seen.skipped)
            else:
                found[seen.id] = before[seen.id]

    def skip(name: str, reason: str) -> None:
        if config.strict:
            raise UserError(f"a usable photograph for {name}", reason, "Mend it or leave out --strict.")
        skipped[name] = reason

    for names, images in bucket_by_shape(good(), config.batch_size, waiting=2 * config.batch_size):
        vectors = engine.embed_images(images)
        for row, fault in validate_embeddings(vectors).items():
            skip(names[row], fault)
        found.update((name, vector) for name, vector in zip(names, vectors, strict=True) if name not in skipped)
    rows = [found[seen.id] for seen in order if seen.id in found]
    vectors = np.stack(rows) if rows else np.zeros((0, dimension), np.float32)
    return vectors, skipped, [seen.state for seen in order]


_ORIENTATION = 0x0112


def preparation(side: Protocol | int, apply_exif: bool = True, read: Read | None = None) -> Callable[[ImageRef], np.ndarray]:
    """Returns a function from an image to its pixels as `serving_default` or `crop` resizes them: float32 [h, w, 3].

    Several threads may call it at once; it raises InvalidImageError. An upright JPEG in RGB or gray is decoded once,
    here; what else Pillow reads becomes a PNG first, and a box is cut out, as in `model_input`.

    Args:
        side: Test protocol of the model, or the side of the project's own, in pixels.
        apply_exif: Turn the image as its EXIF orientation says.
        read: From an image to the bytes of its file; by default those at its path.
    """
    protocol = Protocol.of(side)
    decode_and_resize = _decode_and_resize(protocol)

    def prepare(image: ImageRef) -> np.ndarray:
        data, whole = read(image) if read else None, 0
        if image.box is not None and protocol.box_rounding == "floor":
            image = image._replace(box=tuple(map(math.floor, image.box)))
        encoded = _plain_jpeg(image, data, apply_exif) or model_input(image, apply_exif, data)
        if image.box is not None and protocol.crop == "image":
            whole = max(Image.open(io.BytesIO(model_input(image._replace(box=None), apply_exif, data))).size)
        try:
            return decode_and_resize(tf.constant(encoded), tf.constant(whole)).numpy()
        except tf.errors.InvalidArgumentError as error:
            model_input(image, apply_exif, data)  # raises with the reason that the records give
            raise InvalidImageError("TensorFlow cannot decode it, although Pillow can") from error

    return prepare


@functools.cache
def _decode_and_resize(protocol: Protocol) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    @tf.function(input_signature=[tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32)], autograph=False)
    def decode_and_resize(encoded: tf.Tensor, whole: tf.Tensor) -> tf.Tensor:
        return fit_image(decode_image(encoded, accurate=True), protocol, whole)

    return decode_and_resize.get_concrete_function()  # lest every thread traces it


def _plain_jpeg(image: ImageRef, data: bytes | None, apply_exif: bool) -> bytes | None:
    """Returns the bytes of a file that `read_image` would keep as it is, looking at its header alone; else None."""
    if image.box is not None:
        return None
    try:
        encoded = read_bytes(image.path) if data is None else data
        opened = Image.open(io.BytesIO(encoded), formats=("JPEG",))
        upright = not apply_exif or opened.getexif().get(_ORIENTATION, 1) == 1
    except Exception:  # whatever Pillow's parsers trip over, model_input finds again and names
        return None
    fits = min(opened.size) >= MIN_SIDE and opened.width * opened.height <= MAX_PIXELS
    # Pillow calls a JPEG of several frames MPO; like every other format it is encoded anew.
    return encoded if opened.format == "JPEG" and opened.mode in ("RGB", "L") and upright and fits else None


Key = TypeVar("Key", bound=Hashable)


def bucket_by_shape(items: Iterable[tuple[Key, np.ndarray]], batch_size: int,
                    waiting: int) -> Iterator[tuple[list[Key], np.ndarray]]:
    """Yields keys and stacked arrays [n, ...] of one shape, n at most `batch_size`.

    Full batches go out as they fill up. No more than `waiting` arrays wait for others of their shape; past that the largest
    group goes out as it is.

    Args:
        items: Pairs of a key and an array.
        batch_size: Arrays per batch.
        waiting: Bound of the memory, in arrays.
    """
    groups: dict[tuple, list[tuple[Key, np.ndarray]]] = {}
    count = 0
    for key, value in items:
        group = groups.setdefault(value.shape, [])
        group.append((key, value))
        count += 1
        if len(group) == batch_size or count > waiting:
            largest = value.shape if len(group) == batch_size else max(groups, key=lambda shape: len(groups[shape]))
            batch = groups.pop(largest)
            count -= len(batch)
            yield _stacked(batch)
    while groups:
        yield _stacked(groups.pop(next(iter(groups))))


def _stacked(batch: list[tuple[Key, np.ndarray]]) -> tuple[list[Key], np.ndarray]:
    return [key for key, _ in batch], np.stack([value for _, value in batch])
