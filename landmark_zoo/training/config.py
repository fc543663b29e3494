"""How a model is trained."""

import dataclasses

from landmark_zoo.core.errors import UserError

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("cosine", "linear", "polynomial", "exponential", "step", "constant")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", "auto")
FREEZE = ("none", "c2", "c3", "c4", "all")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """What a recipe says about training; `model.json` says what is trained.

    Attributes:
        epochs: Passes over the records; 0 writes the initial checkpoint only.
        batch_size: Global, over all replicas.
        image_size: Side of the square training crops, pixels.
        image_sizes: Sides that grow in the course of training, each for an equal part of the epochs, e.g. "160,192,224";
            empty for `image_size` throughout.
        learning_rate: Peak, for a multiplier of 1.
        warmup_fraction: Part of all steps in which the rate rises linearly from 0.
        schedule: One of `SCHEDULES`: how the rate falls after that.
        final_learning_rate: Where cosine, linear and polynomial end, for a multiplier of 1.
        decay_power: Of polynomial; 1 is linear.
        decay_factor: What exponential multiplies the rate with after each epoch, and step after some; unset for .99 and .1.
        decay_epochs: After how many epochs step does so, e.g. "30,60".
        optimizer: One of `OPTIMIZERS`.
        momentum: Of SGD.
        weight_decay: Of kernels, not of biases, BatchNorm or scalars; decoupled for adamw, for the others L2: added, times
            the weight, to the gradient after clipping.
        clip_norm: Largest norm of all gradients together; 0 for no limit.
        accumulate: Into how many parts a batch is cut to save memory; their gradients make one step. Losses on pairs see
            the pairs within a part only.
        ema_momentum: Of a running mean of all weights, e.g. .9998, which is then what is validated and exported; in the
            first steps it is lower, (1 + step) / (10 + step). 0 for none.
        precision: One of `PRECISIONS`, in which backbone and blocks compute; weights, pooling, embedding, head and losses
            stay float32. "auto": mixed_bfloat16 on cards of compute capability 8.0 and up, else float32.
        backbone_multiplier: Learning rate of the backbone relative to `learning_rate`; 0 fixes its weights.
        head_multiplier: The same of everything else: attention, pooling, embedding, head.
        freeze: One of `FREEZE`: the stages of the backbone up to this one keep their weights and BatchNorm statistics.
        head_epochs: In how many epochs, from the first, the backbone does not learn yet; the learning rate is not restarted
            after them.
        freeze_batchnorm: Whether the backbone's BatchNorm stays in inference mode with its weights fixed.
        seed: Of weights, order and augmentation.
        checkpoint_seconds: How much time passes between two checkpoints within an epoch.
        checkpoint_steps: How many steps pass between them; 0 leaves it to `checkpoint_seconds`.
        log_steps: How many steps pass between two lines of the history.
    """

    epochs: int = 3
    batch_size: int = 32
    image_size: int = 224
    image_sizes: str = ""
    learning_rate: float = 2e-5
    warmup_fraction: float = 0.05
    schedule: str = "cosine"
    final_learning_rate: float = 0.0
    decay_power: float = 2.0
    decay_factor: float | None = None
    decay_epochs: str = ""
    optimizer: str = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    accumulate: int = 1
    ema_momentum: float = 0.0
    precision: str = "float32"
    backbone_multiplier: float = 1.0
    head_multiplier: float = 1.0
    freeze: str = "none"
    head_epochs: int = 0
    freeze_batchnorm: bool = True
    seed: int = 0
    checkpoint_seconds: float = 300.0
    checkpoint_steps: int = 0
    log_steps: int = 10

    def __post_init__(self):
        for name, least in (("epochs", 0), ("batch_size", 1), ("image_size", 32), ("log_steps", 1), ("accumulate", 1),
                            ("weight_decay", 0), ("clip_norm", 0), ("backbone_multiplier", 0), ("head_multiplier", 0)):
            _expect(getattr(self, name) >= least, f"--{name} >= {least}", getattr(self, name), f"Raise --{name}.")
        for name, names in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("precision", PRECISIONS),
                            ("freeze", FREEZE)):
            _expect(getattr(self, name) in names, f"--{name} among {', '.join(names)}", repr(getattr(self, name)),
                    "Choose one of them.")
        _expect(self.learning_rate > 0 and 0 <= self.warmup_fraction < 1 and 0 <= self.ema_momentum < 1,
                "--learning_rate > 0, 0 <= --warmup_fraction < 1 and 0 <= --ema_momentum < 1",
                f"{self.learning_rate}, {self.warmup_fraction} and {self.ema_momentum}", "Mend the flags.")
        _expect(self.batch_size % self.accumulate == 0, "a --batch_size that --accumulate divides",
                f"{self.batch_size} and {self.accumulate}", "Change one of them.")
        _integers("image_sizes", self.image_sizes, least=32)
        self._check_schedule()
        self._check_what_learns()

    def size_at(self, epoch: int) -> int:
        """Returns the side of the training crops in an epoch, counted from 0."""
        sizes = _integers("image_sizes", self.image_sizes) or [self.image_size]
        return sizes[min(epoch * len(sizes) // max(self.epochs, 1), len(sizes) - 1)]

    @property
    def decay_steps(self) -> list[int]:
        """`decay_epochs` as numbers."""
        return _integers("decay_epochs", self.decay_epochs)

    def _check_schedule(self) -> None:
        ends = self.schedule in ("cosine", "linear", "polynomial")
        _expect(0 <= self.final_learning_rate <= self.learning_rate and (ends or not self.final_learning_rate),
                "0 <= --final_learning_rate <= --learning_rate, with cosine, linear or polynomial",
                f"{self.final_learning_rate} with {self.schedule}", "Mend it or leave it out.")
        _expect(self.decay_power > 0, "--decay_power > 0", self.decay_power, "Raise --decay_power.")
        _expect(bool(self.decay_steps) == (self.schedule == "step"), "--decay_epochs with --schedule=step, and only there",
                f"{self.decay_epochs!r} with {self.schedule}", "Give both or neither.")
        _expect(self.decay_factor is None or (self.schedule in ("exponential", "step") and 0 < self.decay_factor <= 1),
                "0 < --decay_factor <= 1, with exponential or step", f"{self.decay_factor} with {self.schedule}",
                "Mend it or leave it out.")

    def _check_what_learns(self) -> None:
        fixed = self.freeze == "all" or not self.backbone_multiplier
        _expect(self.backbone_multiplier > 0 or self.freeze in ("none", "all"),
                "--backbone_multiplier > 0 where --freeze leaves stages of the backbone to learn",
                f"{self.backbone_multiplier} with --freeze={self.freeze}", "Leave one of them out.")
        _expect(self.head_multiplier > 0 or not (fixed or self.head_epochs), "something that learns",
                "--head_multiplier=0 with a backbone that is fixed", "Raise --head_multiplier.")
        _expect(not (fixed and self.head_epochs), "--head_epochs=0 where the backbone never learns", self.head_epochs,
                "Leave --head_epochs out.")
        _expect(0 <= self.head_epochs <= max(self.epochs, 1), "0 <= --head_epochs <= --epochs",
                f"{self.head_epochs} and {self.epochs}", "Lower --head_epochs.")


def _expect(right: bool, expected: str, received: object, remedy: str) -> None:
    if not right:
        raise UserError(expected, str(received), remedy)


def _integers(flag: str, text: str, least: int = 1) -> list[int]:
    """Returns the increasing numbers of a flag, e.g. of "160,192,224"."""
    try:
        numbers = [int(word) for word in text.split(",")] if text else []
    except ValueError:
        numbers = [least - 1]
    _expect(all(number >= least for number in numbers) and numbers == sorted(set(numbers)),
            f"--{flag} of whole numbers from {least} up, smallest first, with commas between", repr(text), f"Mend --{flag}.")
    return numbers
