"""Protocol of a study of attention blocks: recipe sets, names of runs, costs of blocks."""

import dataclasses
import functools
import statistics
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.parallel import median_seconds
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.layers.attention.registry import ATTENTION
from landmark_zoo.models.inspection import multiply_accumulates
from landmark_zoo.models.registry import NETWORKS, ModelConfig
from landmark_zoo.report.study import BASELINE
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.frozen_backbone import Views
from landmark_zoo.training.history import read_history
from landmark_zoo.training.sampling import SamplingConfig


@dataclasses.dataclass(frozen=True)
class RecipeSet:
    """Attention blocks to compare and the settings common to all of them.

    Attributes:
        backbone: Name in the table `BACKBONES`.
        blocks: Names of `ATTENTION`, and `BASELINE` for none.
        model: Sizes and head; its `model` is replaced by that of the block.
        frozen: Training settings on cached feature maps.
        end_to_end: Training settings together with the backbone.
        views: Augmented views whose feature maps are cached.
        side: Longer side of the benchmark's images, pixels.
    """

    backbone: str
    blocks: tuple[str, ...]
    model: ModelConfig
    frozen: TrainingConfig
    end_to_end: TrainingConfig
    views: Views
    side: int

    def model_config(self, block: str) -> ModelConfig:
        """Returns what is trained for a block: generalised-mean pooling behind it, or right on the feature map."""
        suffix = {BASELINE: "gem"}.get(block, f"{block}_block" if block in NETWORKS else block)
        return dataclasses.replace(self.model, model=f"{self.backbone}_{suffix}")

    @property
    def sampling(self) -> SamplingConfig:
        """Plain order, and the random views of the cache also where the backbone is trained."""
        return SamplingConfig(augmentation=self.views.augmentation)

    def with_blocks(self, blocks: list[str]) -> "RecipeSet":
        """Returns the same with other blocks, each once; an unknown one is a `UserError`."""
        for block in blocks:
            if block != BASELINE and block not in ATTENTION:
                raise UserError(f"--blocks among {BASELINE}, {', '.join(ATTENTION)}", repr(block), "Choose among them.")
        return dataclasses.replace(self, blocks=tuple(dict.fromkeys(blocks)))


RECIPE_SETS: Registry[RecipeSet] = Registry("recipe set")

RECIPE_SETS.add("attention", RecipeSet(
    backbone="mobilenetv2",
    blocks=(BASELINE, "se", "cbam", "spatial", "channel", "eca", "glam", "solar"),
    model=ModelConfig(embedding_dim=512, head="arcface", margin=0.2, scale=20.0),
    frozen=TrainingConfig(epochs=3, learning_rate=1e-3, backbone_multiplier=0.0),
    end_to_end=TrainingConfig(epochs=3, learning_rate=2e-5, head_multiplier=3.0),
    views=Views(image_size=224, count=4),
    side=352))


class StudyKey(NamedTuple):
    """Identity of one run of a study.

    Attributes:
        method: `FROZEN` (backbone frozen, on cached feature maps), `END_TO_END`, or `OFF_THE_SHELF` (nothing is trained, the
            embedding is a PCA).
        block: `BASELINE` or a name of `ATTENTION`.
        seed: Random seed of weights, order and views.
    """

    method: str
    block: str
    seed: int

    @property
    def name(self) -> str:
        """As in reports and as its folder, e.g. "frozen-se-seed0"."""
        return f"{self.method}-{self.block}-seed{self.seed}"


def training_seconds(workdir: Path, config: TrainingConfig) -> float:
    """Returns the steps of a run times the median time of a step, so that pauses and compilation do not count."""
    lines = [line for line in read_history(workdir / "history.jsonl") if "images_per_second" in line]
    if not lines:
        return 0.0
    return lines[-1]["step"] * config.batch_size / statistics.median(line["images_per_second"] for line in lines)


BATCH = 32


def block_costs(model: tf.keras.Model, head: str, shape: tuple[int, int, int]) -> dict[str, float]:
    """Counts and times the attention block of a model; all is 0 where it has none.

    Args:
        model: See `models.build_model`, with attention behind its backbone or none.
        head: Name of its head, which is no part of what is exported.
        shape: Height, width and channels of the feature map that the block gets.

    Returns:
        "parameters" of the model without its head; of the block "block_parameters", "block_macs" (multiply-accumulates of
        one image) and "block_milliseconds" per image (the median of some calls with 32).
    """
    facts = {"parameters": model.count_params() - model.get_layer(head).count_params(),
             "block_parameters": 0, "block_macs": 0, "block_milliseconds": 0.0}
    for block in model.layers:
        if isinstance(block, Attention):
            facts |= {"block_parameters": block.count_params(),
                      "block_macs": multiply_accumulates(block, tf.TensorSpec([1, *shape])),
                      "block_milliseconds": _milliseconds(block, tf.random.stateless_uniform([BATCH, *shape], [0, 0]))}
    return facts


def _milliseconds(block: Attention, features: tf.Tensor) -> float:
    return 1000 * median_seconds(functools.partial(tf.function(block), features)) / BATCH
