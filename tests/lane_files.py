"""Writes and reads one file of every kind, for tests/test_lanes.py.

    python -m tests.lane_files write FOLDER
    python -m tests.lane_files read FOLDER OUTPUT
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.files import write_json
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.writer import write_records
from landmark_zoo.models.registry import ModelConfig, load_keras_file
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.build import build_index, open_index
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.history import read_history
from landmark_zoo.training.run import run_training
from landmark_zoo.training.trainer import PreemptedError

MODEL = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.125, margin=0.1, scale=10.0)
TRAINING = TrainingConfig(epochs=2, batch_size=8, image_size=32, learning_rate=1e-3, freeze_batchnorm=False, log_steps=1,
                          optimizer="adamw", ema_momentum=0.9)
LANDMARKS, PHOTOGRAPHS, STOPPED = 3, 8, 2
SEARCHES = np.eye(8, dtype=np.float32)


def images() -> np.ndarray:
    """Float32 [4, 64, 64, 3]."""
    return np.random.default_rng(1).integers(0, 256, [4, 64, 64, 3]).astype(np.float32)


def write(folder: Path) -> None:
    """Writes records, a run that was stopped after two steps, its model in three formats, and an index."""
    for number in range(LANDMARKS * PHOTOGRAPHS):
        path = folder / "photos" / str(number % LANDMARKS) / f"{number:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pattern = np.random.default_rng([number % LANDMARKS]).integers(40, 216, [4, 4, 3])
        pixels = pattern + np.random.default_rng(number).integers(-30, 30, [4, 4, 3])
        Image.fromarray(pixels.astype(np.uint8)).resize((48, 40), Image.Resampling.BICUBIC).save(path)
    write_records(read_folder([str(folder / "photos")]), folder / "records" / "train", split="train", num_shards=2, seed=0,
                  max_side=64)
    asked = []
    try:
        run_training(MODEL, TRAINING, folder / "records", folder / "run",
                     should_stop=lambda: asked.append(1) or len(asked) >= STOPPED)
    except PreemptedError:
        model = trained(folder)
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    export_saved_model(model, folder / "exported", side=64, info={})
    vectors = np.random.default_rng(2).standard_normal([50, 8]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    EmbeddingSet([f"{number}" for number in range(50)], vectors, "model").save(folder / "embeddings")
    for kind in ("flat", "hnsw"):
        build_index([folder / "embeddings"], kind, folder / kind)


def trained(folder: Path) -> tf.keras.Model:
    """Returns the network of the run, with the weights of its newest checkpoint."""
    model = MODEL.build(LANDMARKS)
    load_weights(model, folder / "run")
    return model


def read(folder: Path, output: Path) -> None:
    """Reads all of it, goes on with the run, and leaves what it saw in `output`: arrays by name, and `facts.json`."""
    output.mkdir()
    weights = MODEL.build(LANDMARKS)
    weights.load_weights(folder / "model.weights.h5")
    loaded = {"checkpoint": trained(folder), "model.weights.h5": weights,
              "model.keras": load_keras_file(folder / "model.keras")}
    arrays = {name: model(images(), training=False)["embedding"].numpy() for name, model in loaded.items()}
    arrays["saved_model"] = SavedModel(folder / "exported").embed_images(images())
    ranked = {}
    for kind in ("flat", "hnsw"):
        ranked[kind], scores = open_index(folder / kind).search(SEARCHES, k=5)
        arrays[kind] = np.asarray(scores)
    batches = list(evaluation_dataset(read_manifest(folder / "records" / "train"), image_size=32, batch_size=8))
    arrays["images"], arrays["labels"] = (np.concatenate([batch[part] for batch in batches]) for part in range(2))
    shutil.copytree(folder / "run", output / "run")
    run_training(MODEL, TRAINING, folder / "records", output / "run")
    arrays["resumed"] = trained(output)(images(), training=False)["embedding"].numpy()
    history = [line for line in read_history(output / "run" / "history.jsonl") if "loss" in line]
    np.savez(output / "arrays.npz", **arrays)
    write_json(output / "facts.json", {"tensorflow": tf.__version__, "ids": ranked,
                                       "steps": [line["step"] for line in history],
                                       "losses": [line["loss"] for line in history]})


if __name__ == "__main__":
    write(Path(sys.argv[2])) if sys.argv[1] == "write" else read(Path(sys.argv[2]), Path(sys.argv[3]))
