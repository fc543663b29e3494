"""Speed of embedding engines, and of reading images beside the network."""

import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.parallel import read_ahead, run_in_child_process
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.retrieval.embed import EmbedConfig, embed_shards, preparation
from landmark_zoo.retrieval.engines import OnnxEngine, OpenvinoEngine, TensorflowEngine
from landmark_zoo.retrieval.image_sequence import folder_images
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.converters import write_onnx
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.export import export_saved_model, write_saved_model
from landmark_zoo.serving.freeze import freeze
from landmark_zoo.training.precision import precision

Embed = Callable[[np.ndarray], object]


def embedding_engines(model: tf.keras.Model, exported: Path, folder: str | Path,
                      build: Callable[[], tf.keras.Model]) -> tuple[dict[str, Embed], dict[str, str]]:
    """Returns functions from float32 [N, H, W, 3] to embeddings by name, and why others are absent.

    Args:
        model: The network as Keras has it.
        exported: SavedModel of the network.
        folder: Gets the other forms.
        build: Builds the network anew, for bfloat16.
    """
    def frozen() -> Embed:
        run_in_child_process(freeze, exported, Path(folder) / "frozen")
        return TensorflowEngine(SavedModel(Path(folder) / "frozen")).embed_images

    def folded(name: str, network: tf.keras.Model) -> Embed:
        embedder = embedder_of(network, SavedModel(exported).info["side"], fold=True)
        path = write_saved_model(embedder, Path(folder) / name, {}, frozen=True)
        return TensorflowEngine(SavedModel(path)).embed_images

    def short() -> tf.keras.Model:
        with precision("mixed_bfloat16"):
            network = build()
        network.set_weights(model.get_weights())
        return network

    def onnx() -> Embed:
        run_in_child_process(write_onnx, exported, Path(folder) / "model.onnx")
        return OnnxEngine(Path(folder) / "model.onnx").embed_images

    makers = {
        "keras call": lambda: lambda images: model(images, training=False)["embedding"].numpy(),
        "savedmodel": lambda: TensorflowEngine(SavedModel(exported)).embed_images,
        "savedmodel frozen": frozen,
        "savedmodel folded": lambda: folded("folded", model),
        "savedmodel folded_bfloat16": lambda: folded("folded_bfloat16", short()),
        "onnxruntime": onnx,
        "openvino f32": lambda: OpenvinoEngine(exported, "f32").embed_images,
        "openvino bf16": lambda: OpenvinoEngine(exported, "bf16").embed_images,
        "pytorch resnet101": torch_engine,
    }
    found, absent = {}, {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except UserError as error:
            absent[name] = str(error)
    return found, absent


def torch_engine() -> Embed:
    """Returns torchvision's ResNet-101 with random weights, eager, whatever network the others run."""
    try:
        import torch
        from torchvision.models import resnet101
    except ImportError as error:
        raise UserError("the packages torch and torchvision", str(error), "Install them to compare.") from error
    network = resnet101()
    network.fc = torch.nn.Identity()
    network.eval()

    def embed(images: np.ndarray) -> object:
        with torch.inference_mode():
            return network(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()).numpy()

    return embed


SIZE = (384, 512)
REFERENCE = "keras call"
_ROUNDS = 7


def measure_embed(config: ModelConfig, batch_size: int, photos: str | None, size: tuple[int, int] = SIZE,
                  rounds: int = _ROUNDS) -> str:
    """Measures all engines and returns tables.

    All engines take turns within each round and the medians of the rounds are compared, so that other work on the machine
    falls on all of them. Each does one call that is not counted. The weights are random, which changes no time.

    Args:
        config: The network.
        batch_size: Images per call in the second column, and when reading and network are measured together.
        photos: Folder of images, for the second table; None for the first alone.
        size: Height and width in pixels; the longer one is the model's side.
        rounds: Number of rounds.
    """
    build = functools.partial(config.build, num_classes=2)
    model = build()
    with tempfile.TemporaryDirectory() as folder:
        exported = export_saved_model(model, Path(folder) / "bench", side=max(size), info={})
        engines, absent = embedding_engines(model, exported, folder, build)
        speeds = [images_per_second(engines, batch, size, rounds) for batch in (1, batch_size)]
        lines = [f"{'engine':<28}{'batch 1':>12}{'ratio':>8}{f'batch {batch_size}':>12}{'ratio':>8}   images/s"]
        for name in engines:
            cells = "".join(f"{speed[name]:>12.2f}{speed[name] / speed[REFERENCE]:>8.2f}" for speed in speeds)
            lines.append(f"{name:<28}{cells}")
        lines += [f"{name}: not measured, {reason}" for name, reason in absent.items()]
        if photos:
            lines += [f"{name:<40}{value:>10.2f}" for name, value in overlap(exported, photos, batch_size).items()]
    return "\n".join(lines)


def images_per_second(engines: Mapping[str, Callable[[np.ndarray], object]], batch_size: int, size: tuple[int, int],
                      rounds: int) -> dict[str, float]:
    """Returns the median speed of each engine.

    Args:
        engines: From float32 [N, H, W, 3] to embeddings.
        batch_size: N.
        size: H and W.
        rounds: Calls of each engine that are counted.
    """
    images = np.random.default_rng(0).uniform(0, 255, [batch_size, *size, 3]).astype(np.float32)
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(rounds + 1):
        for name, embed in engines.items():
            start = time.perf_counter()
            embed(images)
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: batch_size / statistics.median(times) for name, times in seconds.items()}


def overlap(saved_model: str | Path, photos: str, batch_size: int) -> dict[str, float]:
    """Returns images per second of reading alone, of the network alone and of both, as `experiments.embed` does them.

    Args:
        saved_model: `<name>/<version>`.
        photos: Folder of photographs.
        batch_size: Images per call.
    """
    model = SavedModel(saved_model)
    engine = TensorflowEngine(model)
    images = list(folder_images(photos))
    prepare = preparation(model.protocol)
    shapes, start = [], time.perf_counter()
    for pixels in read_ahead(prepare, images, 2 * batch_size):
        shapes.append(pixels.shape)
    reading = len(images) / (time.perf_counter() - start)
    network = len(images) / _network_seconds(engine, shapes, batch_size)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        embed_shards(model, images, folder, EmbedConfig(batch_size=batch_size), engine=engine)
        both = len(images) / (time.perf_counter() - start)
    return {"reading alone, images/s": reading, "network alone, images/s": network, "both, images/s": both,
            "both to the slower of them": both / min(reading, network)}


def _network_seconds(engine: TensorflowEngine, shapes: Sequence[tuple[int, ...]], batch_size: int) -> float:
    """Returns how long the network takes for images of these shapes, in batches of one shape."""
    engine.embed_images(np.zeros([1, *shapes[0]], np.float32))
    start = time.perf_counter()
    for shape in sorted(set(shapes)):
        left = shapes.count(shape)
        while left > 0:
            engine.embed_images(np.zeros([min(left, batch_size), *shape], np.float32))
            left -= batch_size
    return time.perf_counter() - start
