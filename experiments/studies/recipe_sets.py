"""What a study trains: blocks, and one recipe for all of them."""

import dataclasses

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.models.networks import NETWORKS
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.feature_cache import Views
from landmark_zoo.training.sampling import SamplingConfig

BASELINE = "baseline"


@dataclasses.dataclass(frozen=True)
class RecipeSet:
    """Everything that is the same for all blocks of a study, and the blocks.

    Attributes:
        backbone: A name of `BACKBONES`.
        blocks: Names of `ATTENTION`, and `BASELINE` for none.
        model: Sizes and head; its `model` is replaced by that of the block.
        frozen: How a block is trained on cached feature maps.
        end_to_end: How it is trained together with the backbone.
        views: What is cached.
        side: Longer side of the benchmark's pictures, pixels.
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
