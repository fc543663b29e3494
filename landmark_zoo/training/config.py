"""How a model is trained."""

import dataclasses

from landmark_zoo.core.errors import UserError

OPTIMIZERS = ("sgd", "adam", "adamw")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """What a recipe says about training; `model.json` says what is trained.

    Attributes:
        epochs: Passes over the records; 0 writes the initial checkpoint only.
        batch_size: Global, over all replicas.
        image_size: Side of the square training crops, pixels.
        learning_rate: Peak, for a multiplier of 1.
        warmup_fraction: Part of all steps in which the rate rises linearly from 0; after it falls as a half cosine to 0.
        optimizer: One of `OPTIMIZERS`.
        momentum: Of SGD.
        weight_decay: Decoupled, for adamw; L2 on gradients is not used.
        clip_norm: Largest norm of all gradients together; 0 for no limit.
        backbone_multiplier: Learning rate of the backbone relative to `learning_rate`; 0 freezes it.
        head_multiplier: The same of everything else: attention, pooling, embedding, head.
        freeze_batchnorm: Whether the backbone's BatchNorm stays in inference mode with its weights fixed.
        label_smoothing: See `losses.softmax_cross_entropy`.
        attention_weight: alpha, what the attention branch's loss of an Attention Branch Network is multiplied with.
        perception_weight: beta, the same of its perception branch.
        seed: Of weights, order and augmentation.
        checkpoint_seconds: How much time passes between two checkpoints within an epoch.
        checkpoint_steps: How many steps pass between them; 0 leaves it to `checkpoint_seconds`.
        log_steps: How many steps pass between two lines of the history.
    """

    epochs: int = 3
    batch_size: int = 32
    image_size: int = 224
    learning_rate: float = 2e-5
    warmup_fraction: float = 0.05
    optimizer: str = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    backbone_multiplier: float = 1.0
    head_multiplier: float = 1.0
    freeze_batchnorm: bool = True
    label_smoothing: float = 0.0
    attention_weight: float = 1.0
    perception_weight: float = 1.0
    seed: int = 0
    checkpoint_seconds: float = 300.0
    checkpoint_steps: int = 0
    log_steps: int = 10

    def __post_init__(self):
        for name, least in (("epochs", 0), ("batch_size", 1), ("image_size", 32), ("log_steps", 1)):
            if getattr(self, name) < least:
                raise UserError(f"--{name} >= {least}", str(getattr(self, name)), f"Raise --{name}.")
        if self.optimizer not in OPTIMIZERS:
            raise UserError(f"--optimizer among {', '.join(OPTIMIZERS)}", repr(self.optimizer), "Choose one of them.")
        if not self.learning_rate > 0 or not 0 <= self.warmup_fraction < 1:
            raise UserError("--learning_rate > 0 and 0 <= --warmup_fraction < 1",
                            f"{self.learning_rate} and {self.warmup_fraction}", "Mend the flags.")
        if self.backbone_multiplier < 0 or self.head_multiplier < 0:
            raise UserError("multipliers >= 0", f"{self.backbone_multiplier} and {self.head_multiplier}", "Mend the flags.")
