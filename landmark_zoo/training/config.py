"""TrainingConfig: the training settings of a recipe, each a flag of `experiments.train`."""

import dataclasses
import math

from landmark_zoo.core.errors import MAX_SEED, UserError, check_choice, check_finite, check_range

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("cosine", "linear", "polynomial", "exponential", "step", "constant")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", "auto")
MAX_SIDE = 8192
FREEZE = ("none", "c2", "c3", "c4", "all")
KEEP = ("best", "last")
MARGIN_HEADS = ("arcface", "cosface", "sub_center_arcface", "sub_centre_arcface")
BATCH_SIZE, EPOCHS, MIN_STEPS = 32, 2, 60  # of `default_settings`
SETTINGS = {"learning_rate": 1e-3, "backbone_multiplier": 0.1, "margin": 0.2, "scale": 20.0, "weight_interpolation": "auto"}


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """Settings of training: schedule, optimizer, precision, what learns, and how often to save; `ModelConfig` is the model.

    Attributes:
        epochs: Number of passes over the records; 0 writes the initial checkpoint only.
        batch_size: Images per step, over all devices of all workers together.
        image_size: Side of the square training crops, pixels.
        image_sizes: Sides of the training crops that grow in the course of training, each for an equal part of the epochs,
            e.g. "160,192,224"; empty for image_size in all epochs.
        learning_rate: Peak learning rate, of variables with multiplier 1.
        warmup_fraction: Fraction of all steps in which the learning rate rises linearly from 0 to its peak.
        schedule: Schedule of the learning rate after the warm-up: cosine, linear, polynomial, exponential, step or constant.
        final_learning_rate: Learning rate at the end of the schedules cosine, linear and polynomial, for multiplier 1.
        decay_power: Power of schedule "polynomial"; 1 is linear.
        decay_factor: Factor of the learning rate after each epoch for schedule "exponential" (.99 where unset), after each
            of decay_epochs for schedule "step" (.1 where unset).
        decay_epochs: Epochs after which schedule "step" decays the rate, e.g. "30,60".
        optimizer: Optimizer: sgd, adam or adamw.
        momentum: SGD momentum.
        weight_decay: Weight decay of kernels (not of biases, BatchNorm or scalars): decoupled for adamw, for the others L2,
            added as weight_decay times the weight to the gradient after clipping.
        clip_norm: Largest global norm of all gradients together; 0 for no clipping.
        accumulate: Number of micro-batches per step (gradient accumulation), which saves memory. Losses on pairs see only
            the pairs within a micro-batch.
        ema_momentum: Momentum of an exponential moving average (EMA) of all weights, e.g. .9998, which is then what is
            validated and exported; in the first steps it is lower, (1 + step) / (10 + step), so that a run of fewer than
            9 / (1 - momentum) steps averages about the last tenth of its steps whatever the momentum, and forgets its
            start. 0 for no average.
        precision: Precision in which backbone and blocks compute: float32, mixed_bfloat16, mixed_float16, or auto for
            mixed_bfloat16 where a trial of a few steps finds it 5 % faster than float32 on GPUs of compute capability 8.0
            and up or CPUs with AMX or AVX512-BF16. On such a CPU (224 pixels, batch 16) ResNet-50 trained 1.6 times as fast
            in bfloat16, MobileNetV2 0.9 times, EfficientNet-Lite0 half as fast. Runs of fewer than 200 steps are not worth a
            trial: there the GPU's capability decides. A run keeps the choice. Weights, pooling, embedding, head and losses
            stay float32.
        backbone_multiplier: Learning-rate multiplier of the backbone; 0 fixes its weights.
        head_multiplier: Learning-rate multiplier of attention, pooling, embedding and head.
        layer_decay: Layer-wise decay of the backbone's learning rate, above 0 and up to 1: a factor per stage between a
            stage (up to C2, C3, C4, and the rest) and the last one; 1 for one rate.
        freeze: Last stage of the backbone whose weights and BatchNorm statistics stay fixed, with all stages before it: c2,
            c3 or c4; none or all.
        head_epochs: Number of epochs at the start in which the backbone does not learn yet; the learning rate is not
            restarted after them.
        cached_views: Number of views of each image whose backbone features are computed once and kept on disk for the epochs
            in which the backbone stands still (head_epochs, or all with freeze=all or backbone_multiplier=0), in place of
            new views at every step; pays where that is fewer than those epochs. 0 computes them at every step.
        cache_gigabytes: Largest size of the features of cached_views on disk, in GB of 10^9 bytes.
        freeze_batchnorm: Keep the backbone's BatchNorm in inference mode, with its weights fixed.
        seed: Random seed of initialization, shuffling and augmentation.
        checkpoint_seconds: Seconds between two checkpoints within an epoch.
        checkpoint_steps: Steps between two checkpoints within an epoch; 0 leaves it to checkpoint_seconds.
        log_steps: Steps between two lines of history.jsonl.
        keep: Checkpoint that is exported where the records keep landmarks out of training (experiments.prepare
            --validation_landmarks): best for the epoch, or the start, with the highest mean average precision on them, and
            for the start without training where there were too few to keep any out; last for the newest.
        patience: Epochs without a better mean average precision on those landmarks after which training ends; 0 to train
            all epochs. The learning rate does not depend on it.
        weight_interpolation: Place of the kept weights between those of the start, 0, and those that were trained, 1
            (WiSE-FT): a factor, with which each epoch is measured; or auto, which tries .25, .5 and .75 at the end of the
            run on the landmarks kept out of training, for the best epoch or, if that is the start, the last one. 1 for the
            weights as trained.

    Example:
        >>> config = TrainingConfig(epochs=4, image_sizes="160,224", optimizer="sgd", schedule="step", decay_epochs="2")
        >>> [config.size_at(epoch) for epoch in range(4)], config.decay_steps
        ([160, 160, 224, 224], [2])
        >>> TrainingConfig(batch_size=0)
        Traceback (most recent call last):
        ...
        landmark_zoo.core.errors.UserError: Expected --batch_size >= 1; received 0. Raise --batch_size.
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
    layer_decay: float = 1.0
    freeze: str = "none"
    head_epochs: int = 0
    cached_views: int = 0
    cache_gigabytes: float = 20.0
    freeze_batchnorm: bool = True
    seed: int = 0
    checkpoint_seconds: float = 300.0
    checkpoint_steps: int = 0
    log_steps: int = 10
    keep: str = "best"
    patience: int = 0
    weight_interpolation: str = "1"

    def __post_init__(self):
        check_finite(self)
        check_range("seed", self.seed, 0, MAX_SEED)
        for name, minimum in (("epochs", 0), ("batch_size", 1), ("image_size", 32), ("log_steps", 1), ("accumulate", 1),
                              ("weight_decay", 0), ("clip_norm", 0), ("backbone_multiplier", 0), ("head_multiplier", 0),
                              ("checkpoint_seconds", 0), ("checkpoint_steps", 0), ("patience", 0), ("cached_views", 0),
                              ("cache_gigabytes", 0)):
            check_range(name, getattr(self, name), minimum)
        for name, maximum in (("epochs", 1_000_000), ("batch_size", 2**20), ("image_size", MAX_SIDE), ("weight_decay", 1000),
                              ("backbone_multiplier", 1e6), ("head_multiplier", 1e6), ("decay_power", 1000),
                              ("learning_rate", 1000), ("patience", 1_000_000), ("cached_views", 1000),
                              ("cache_gigabytes", 1e6)):
            check_range(name, getattr(self, name), maximum=maximum)
        check_range("momentum", self.momentum, 0, 1)
        for name, choices in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("precision", PRECISIONS),
                              ("freeze", FREEZE), ("keep", KEEP)):
            check_choice(name, getattr(self, name), choices)
        _expect(self.learning_rate > 0 and 0 <= self.warmup_fraction < 1 and 0 <= self.ema_momentum < 1,
                "--learning_rate > 0, 0 <= --warmup_fraction < 1 and 0 <= --ema_momentum < 1",
                f"{self.learning_rate}, {self.warmup_fraction} and {self.ema_momentum}", "Mend the flags.")
        _expect(self.batch_size % self.accumulate == 0, "a --batch_size that --accumulate divides",
                f"{self.batch_size} and {self.accumulate}", "Change one of them.")
        _expect(max(_integers("image_sizes", self.image_sizes, minimum=32), default=0) <= MAX_SIDE,
                f"--image_sizes up to {MAX_SIDE}", self.image_sizes, "Lower --image_sizes.")
        _expect(self.weight_interpolation == "auto" or 0 < fixed_factor(self.weight_interpolation) <= 1,
                "--weight_interpolation=auto or a number above 0 and up to 1", repr(self.weight_interpolation),
                "Mend --weight_interpolation.")
        self._check_schedule()
        self._check_what_learns()

    def size_at(self, epoch: int) -> int:
        """Returns the side of the training crops in an epoch, counted from 0, in pixels."""
        sizes = _integers("image_sizes", self.image_sizes) or [self.image_size]
        return sizes[min(epoch * len(sizes) // max(self.epochs, 1), len(sizes) - 1)]

    @property
    def decay_steps(self) -> list[int]:
        """The numbers in `decay_epochs`."""
        return _integers("decay_epochs", self.decay_epochs)

    @property
    def still_epochs(self) -> int:
        """Number of epochs, from the first, in which the backbone does not learn."""
        return self.epochs if self.freeze == "all" or not self.backbone_multiplier else self.head_epochs

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
        _expect(0 < self.layer_decay <= 1 and not (fixed and self.layer_decay < 1),
                "0 < --layer_decay <= 1, and 1 where the backbone never learns", self.layer_decay, "Mend --layer_decay.")
        _expect(not (fixed and self.head_epochs), "--head_epochs=0 where the backbone never learns", self.head_epochs,
                "Leave --head_epochs out.")
        _expect(0 <= self.head_epochs <= max(self.epochs, 1), "0 <= --head_epochs <= --epochs",
                f"{self.head_epochs} and {self.epochs}", "Lower --head_epochs.")
        _expect(self.still_epochs > 0 or not self.cached_views,
                "epochs in which the backbone stands still for --cached_views", "none",
                "Give --head_epochs or --freeze=all, or leave --cached_views out.")


def fixed_factor(weight_interpolation: str) -> float:
    """Returns the factor that a run is given in its `weight_interpolation`; 1 for "auto", NaN for other words."""
    try:
        return 1.0 if weight_interpolation == "auto" else float(weight_interpolation)
    except ValueError:
        return math.nan


def default_settings(images: int) -> dict[str, float | str]:
    """Returns settings of `TrainingConfig` and `ModelConfig` for a collection of this size, by name.

    They are what `experiments.train` takes for flags that are not given, where the backbone is pretrained and one of
    `MARGIN_HEADS` classifies. The rule was chosen on landmarks outside every benchmark; measurements: BUILD_NOTES.md,
    "Defaults of training".

    Batches of `BATCH_SIZE` images, fewer where there are fewer; `EPOCHS` epochs, more where these are less than `MIN_STEPS`
    steps; and `SETTINGS`, whatever the size.

    Args:
        images: Number of training images.

    Example:
        >>> [(each["batch_size"], each["epochs"]) for each in map(default_settings, (20, 200, 3000))]
        [(20, 60), (32, 10), (32, 2)]
    """
    batch_size = max(min(BATCH_SIZE, images), 1)
    return {"batch_size": batch_size, "epochs": max(EPOCHS, math.ceil(MIN_STEPS / max(images // batch_size, 1))), **SETTINGS}


def _expect(condition: bool, expected: str, received: object, remedy: str) -> None:
    if not condition:
        raise UserError(expected, str(received), remedy)


def _integers(flag: str, text: str, minimum: int = 1) -> list[int]:
    """Returns the numbers of a flag such as "160,192,224", which must increase."""
    try:
        numbers = [int(word) for word in text.split(",")] if text else []
    except ValueError:
        numbers = [minimum - 1]
    _expect(all(number >= minimum for number in numbers) and numbers == sorted(set(numbers)),
            f"--{flag} of whole numbers from {minimum} up, smallest first, with commas between", repr(text),
            f"Mend --{flag}.")
    return numbers
