"""Small records and a small model."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.writer import write_records
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.layers.heads.margin import ArcFace
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.optimizer import Group
from landmark_zoo.training.trainer import Trainer


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """Records of 4 easy landmarks with 12 images each: patterns of another colour."""
    root = tmp_path_factory.mktemp("records")
    random = np.random.default_rng(0)
    for landmark in range(4):
        pattern = random.integers(0, 256, (4, 4, 3))
        for number in range(12):
            noisy = np.clip(pattern + random.normal(0, 20, pattern.shape), 0, 255).astype(np.uint8)
            path = root / "photos" / f"landmark{landmark}" / f"{landmark}{number:02d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noisy).resize((48, 40), Image.Resampling.NEAREST).save(path, quality=95)
    for split in ("train", "validation"):
        write_records(read_folder([str(root / "photos")]), root / split, split=split, num_shards=2, seed=0, max_side=64)
    return root


@pytest.fixture(scope="session")
def train_only(records, tmp_path_factory):
    """The 48 training records without their validation split."""
    folder = tmp_path_factory.mktemp("train_only")
    (folder / "train").symlink_to(records / "train", target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def unseen_records(records, tmp_path_factory):
    """The records, and their images once more as those of four landmarks that training does not see."""
    folder = tmp_path_factory.mktemp("unseen_records")
    for split in ("train", "validation"):
        (folder / split).symlink_to(records / split, target_is_directory=True)
    shutil.copytree(records / "validation", folder / "validation_landmarks")
    path = folder / "validation_landmarks" / "manifest.json"
    write_json(path, read_json(path) | {"landmark_ids": [f"unseen{number}" for number in range(4)]})
    return folder


@pytest.fixture(scope="session")
def model_config():
    """The smallest model of the zoo: quick to build and to trace."""
    return ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.125, margin=0.1, scale=10.0)


@pytest.fixture(scope="session")
def config():
    return TrainingConfig(epochs=2, batch_size=8, image_size=32, learning_rate=1e-3, freeze_batchnorm=False, log_steps=1)


class Toy:
    """A network of 160 weights that classifies 8 images of 4 classes: quick to trace."""

    def __init__(self, batchnorm=False):
        tf.keras.utils.set_random_seed(1)
        layers = [tf.keras.Input([None, None, 3]), tf.keras.layers.Conv2D(8, 3, activation="relu", name="conv")]
        layers += [tf.keras.layers.BatchNormalization(momentum=0.5, name="bn")] if batchnorm else []
        layers += [tf.keras.layers.GlobalAveragePooling2D(dtype="float32"),
                   tf.keras.layers.Dense(4, dtype="float32", name="dense")]
        self.model = tf.keras.Sequential(layers)
        random = np.random.default_rng(0)
        self.images = random.normal(size=(8, 6, 6, 3)).astype(np.float32)
        self.labels = np.array([0, 1, 2, 3] * 2, np.int32)

    def objective(self, images, labels, training):
        logits = self.model(images, training=training)
        correct = tf.cast(tf.argmax(logits, -1, output_type=tf.int32) == labels, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits), correct

    def groups(self, head_epochs=0):
        conv, dense = (self.model.get_layer(name).trainable_variables for name in ("conv", "dense"))
        return [Group("backbone", conv, 1.0, head_epochs), Group("head", dense, 1.0)]

    def trainer(self, workdir, config, steps_per_epoch=4):
        return Trainer(self.model, self.objective, self.groups(config.head_epochs), config, workdir, steps_per_epoch)

    def epoch(self, steps_per_epoch=4):
        def data(epoch, skip):
            order = [np.random.default_rng([epoch, step]).permutation(8) for step in range(steps_per_epoch)][skip:]
            batches = np.reshape(order, [-1, 8])
            return tf.data.Dataset.from_tensor_slices((self.images[batches], self.labels[batches]))
        return data


@pytest.fixture
def toy():
    return Toy


EMBEDDINGS = np.array([(1, 0), (0.8, 0.6), (0, 1), (0.6, 0.8)], np.float32)


@pytest.fixture
def toy_images():
    """Images [4, 1, 1, 2] whose embeddings are the vectors whose pair and triplet losses are reckoned by hand below."""
    return EMBEDDINGS[:, None, None]


@pytest.fixture
def vector_model():
    """Makes a model whose embedding is the image itself, with an ArcFace head "arcface" for `num_classes`."""
    def make(num_classes=None, **outputs):
        images = tf.keras.Input([1, 1, 2])
        vectors = L2Normalize(name="embedding")(tf.keras.layers.Flatten()(images))
        named = {"embedding": vectors}
        if num_classes:
            named["logits"] = ArcFace(num_classes, margin=0.3, scale=10.0, name="arcface")(vectors)
        named |= {name: make(vectors) for name, make in outputs.items()}
        return tf.keras.Model(images, named)
    return make


@pytest.fixture
def eagerly():
    """Runs tf.functions line by line: no tracing, which takes longer than small steps themselves."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
