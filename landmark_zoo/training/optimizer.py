"""Parameter groups with learning-rate multipliers, one optimizer each; learning-rate schedules with linear warm-up; frozen
backbone stages and BatchNorm.

`variable_groups` divides a model's variables, `GroupedOptimizer` clips the gradients and applies them group by group.
"""

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from landmark_zoo.backbones.registry import BACKBONES, BackboneSpec
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.training.config import TrainingConfig


def learning_rate_factor(config: TrainingConfig, step: tf.Tensor | int, steps_per_epoch: int) -> tf.Tensor:
    """Returns the learning rate of a step as a fraction of the peak rate.

    It rises as (step + 1) / w in the w steps of the warm-up. After that, with d the fraction of the remaining steps that is
    done, 0..1, and f the final rate as a fraction of the peak:

    | schedule | factor |
    |---|---|
    | cosine | f + (1 - f) (1 + cos(pi d)) / 2 |
    | linear | f + (1 - f) (1 - d) |
    | polynomial | f + (1 - f) (1 - d)^power |
    | exponential | factor^e after e whole epochs, as `ExponentialLR` of the retrieval codes |
    | step | factor^k after k of the `decay_epochs`, as `MultiStepLR` |
    | constant | 1 |

    Args:
        config: Gives schedule, warm-up and epochs.
        step: Steps made so far.
        steps_per_epoch: Batches of one epoch.

    Returns:
        float32 [].

    Example:
        >>> config = TrainingConfig(epochs=10, schedule="step", decay_epochs="5,8", warmup_fraction=0)
        >>> [round(float(learning_rate_factor(config, step, steps_per_epoch=1)), 4) for step in (0, 5, 8)]
        [1.0, 0.1, 0.01]
    """
    total = max(config.epochs * steps_per_epoch, 1)
    warmup = min(int(config.warmup_fraction * total), total - 1)
    step = tf.cast(step, tf.float32)
    done = tf.clip_by_value((step - warmup) / (total - warmup), 0.0, 1.0)
    decayed = _decay_factor(config, done, tf.floor(step / steps_per_epoch))
    return tf.where(step < warmup, (step + 1) / max(warmup, 1), decayed)


def _decay_factor(config: TrainingConfig, done: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
    if config.schedule == "constant":
        return tf.ones([])
    if config.schedule == "exponential":
        return (0.99 if config.decay_factor is None else config.decay_factor) ** epoch
    if config.schedule == "step":
        passed = tf.reduce_sum(tf.cast(epoch >= tf.constant(config.decay_steps, tf.float32), tf.float32))
        return (0.1 if config.decay_factor is None else config.decay_factor) ** passed
    shape = {"cosine": lambda: (1 + tf.cos(math.pi * done)) / 2, "linear": lambda: 1 - done,
             "polynomial": lambda: (1 - done) ** config.decay_power}[config.schedule]()
    final = config.final_learning_rate / config.learning_rate
    return final + (1 - final) * shape


class LearningRate(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate of one parameter group, by the step of the run instead of the optimizer's own count.

    An optimizer that starts late, or left a step out, keeps in time with the others.

    Args:
        config: Gives peak rate and schedule.
        multiplier: Factor of the peak rate for this group.
        steps_per_epoch: Batches of one epoch.
        run_step: Steps that the run has made.

    Example:
        >>> config = TrainingConfig(epochs=2, learning_rate=0.1, schedule="linear", warmup_fraction=0)
        >>> run_step = tf.Variable(4)
        >>> rate = LearningRate(config, multiplier=0.5, steps_per_epoch=4, run_step=run_step)
        >>> round(float(rate(0)), 4)
        0.025
    """

    def __init__(self, config: TrainingConfig, multiplier: float, steps_per_epoch: int, run_step: tf.Variable):
        self._config, self._peak = config, config.learning_rate * multiplier
        self._steps_per_epoch, self._run_step = steps_per_epoch, run_step

    def __call__(self, step):
        """Returns the rate at the run's step; `step`, the optimizer's own count, is not used."""
        del step
        return self._peak * learning_rate_factor(self._config, self._run_step, self._steps_per_epoch)


@dataclasses.dataclass(frozen=True)
class Group:
    """Parameter group: trainable variables and their learning-rate multiplier.

    Attributes:
        name: Name in messages.
        variables: Trainable variables of the group.
        multiplier: Factor of the learning rate; 0 for variables that stay fixed.
        from_epoch: First epoch, from 0, in which the variables are trained.
    """

    name: str
    variables: Sequence[tf.Variable]
    multiplier: float
    from_epoch: int = 0


class GroupedOptimizer(tf.Module):
    """One Keras optimizer per parameter group, so that a learning-rate multiplier is exact for every optimizer, Adam too.

    Gradients are clipped by their global norm over all groups, then decayed (L2), then applied.

    Args:
        groups: Parameter groups; those with multiplier 0 or without variables are left out.
        config: Gives optimizer, peak rate, schedule, weight decay and clipping.
        steps_per_epoch: Batches of one epoch.
        run_step: Steps that the run has made, which the learning rate follows.

    Attributes:
        optimizers: Keras optimizers, one per group that is trained.
        variable_groups: Variables of each of them.
    """

    def __init__(self, groups: Sequence[Group], config: TrainingConfig, steps_per_epoch: int, run_step: tf.Variable):
        super().__init__(name="grouped_optimizer")
        trained = [group for group in groups if group.multiplier > 0 and group.variables]
        self.variable_groups = [list(group.variables) for group in trained]
        self._from_steps = tuple(group.from_epoch * steps_per_epoch for group in trained)
        self.optimizers = [_build_optimizer(config, LearningRate(config, group.multiplier, steps_per_epoch, run_step))
                           for group in trained]
        self._clip_norm = config.clip_norm
        self._l2 = 0.0 if config.optimizer == "adamw" else config.weight_decay
        for optimizer, variables in zip(self.optimizers, self.variable_groups, strict=True):
            if config.optimizer == "adamw":
                optimizer.exclude_from_weight_decay([variable for variable in variables if not _is_kernel(variable)])
            optimizer.build(variables)

    def active(self, step: int) -> tuple[int, ...]:
        """Returns the indices of the groups that are trained in the next step, after so many steps."""
        return tuple(index for index, first in enumerate(self._from_steps) if step >= first)

    def trained(self, active: Sequence[int]) -> list[tf.Variable]:
        """Returns the variables of the active groups, in the order of the gradients for `apply`."""
        return [variable for index in active for variable in self.variable_groups[index]]

    def apply(self, gradients: Sequence[tf.Tensor], active: Sequence[int]) -> None:
        """Clips the gradients by their global norm and makes one step with the optimizer of each active group.

        Args:
            gradients: One per variable of `trained(active)`; under `tf.distribute` already averaged over the replicas.
            active: Indices of groups, from `active`.
        """
        if self._clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        gradients = iter(gradients)
        for index in active:
            pairs = [(self._add_l2(next(gradients), variable), variable) for variable in self.variable_groups[index]]
            self.optimizers[index].apply_gradients(pairs, skip_gradients_aggregation=True)

    def _add_l2(self, gradient: tf.Tensor, variable: tf.Variable) -> tf.Tensor:
        return gradient + self._l2 * variable if self._l2 and _is_kernel(variable) else gradient


def _is_kernel(variable: tf.Variable) -> bool:
    """Returns whether weight decay applies: not to biases, BatchNorm or scalars."""
    return variable.shape.rank > 1


def _build_optimizer(config: TrainingConfig, rate: LearningRate) -> tf.keras.optimizers.Optimizer:
    if config.optimizer == "sgd":
        return tf.keras.optimizers.SGD(rate, momentum=config.momentum)
    if config.optimizer == "adamw":
        return tf.keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    return tf.keras.optimizers.Adam(rate)


def freeze_stages(model: tf.keras.Model, stages: str) -> int:
    """Freezes the weights and BatchNorm statistics of a model's backbone up to a tap; attention blocks in it still learn.

    C2 is no tap in the table of backbones: it is the last layer before C3 whose feature map is twice as large.

    Args:
        model: Built model; see `models.create_model`.
        stages: Last frozen stage: "c2", "c3" or "c4", with all before it; "all" for the whole backbone; "none".

    Returns:
        Number of layers with weights that were frozen.

    Raises:
        UserError: The backbone is not in the table of backbones, or ends before that tap.
    """
    if stages == "none":
        return 0
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    frozen = ([layer for network in networks for layer in network.layers] if stages == "all" else
              _layers_up_to_stage(networks, stages, "--freeze", "Use --freeze=all or --freeze=none."))
    frozen = [layer for layer in frozen if layer.weights and not isinstance(layer, Attention)]
    for layer in frozen:
        layer.trainable = False
    return len(frozen)


def _layers_up_to_stage(networks: Sequence[tf.keras.Model], stage: str, flag: str,
                        remedy: str) -> list[tf.keras.layers.Layer]:
    for network in networks:
        if network.name not in BACKBONES:
            continue
        spec, names = BACKBONES[network.name], {layer.name for layer in network.layers}
        tap = spec.taps.get("C3" if stage == "c2" else stage.upper())
        if tap in names:
            layers = _layers_up_to(network, tap)
            return _layers_up_to(network, _c2_name(layers, spec)) if stage == "c2" else layers
    found = ", ".join(network.name for network in networks) or "none"
    raise UserError(f"a backbone with stage {stage} for {flag}", f"a model with the networks {found}", remedy)


def _layers_up_to(network: tf.keras.Model, name: str) -> list[tf.keras.layers.Layer]:
    """Returns the layer of this name and all layers that it depends on."""
    return tf.keras.Model(network.input, network.get_layer(name).get_output_at(-1)).layers


def _c2_name(layers_up_to_c3: list[tf.keras.layers.Layer], spec: BackboneSpec) -> str:
    """Returns the name of the last layer before C3 whose feature map is twice as large, or about so without padding."""
    side = 256
    outputs = {layer.name: layer.get_output_at(-1) for layer in layers_up_to_c3 if not isinstance(layer, Attention)}
    shapes = tf.keras.Model(layers_up_to_c3[0].input, outputs).compute_output_shape((None, side, side, 3))
    twice = [name for name, shape in shapes.items() if shape[1] == 2 * side // spec.strides["C3"]]
    return (twice or [name for name, shape in shapes.items() if shape[1] > 1.5 * side / spec.strides["C3"]])[-1]


def freeze_batchnorm(model: tf.keras.Model) -> int:
    """Puts every BatchNorm of `model` and of the models inside it into inference mode and freezes its weights.

    Retrieval networks are fine-tuned so: batches are small and have other statistics than ImageNet.

    Returns:
        Number of layers that were frozen.
    """
    frozen = 0
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            frozen += freeze_batchnorm(layer)
        elif isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.trainable = False
            frozen += 1
    return frozen


def variable_groups(model: tf.keras.Model, config: TrainingConfig) -> list[Group]:
    """Freezes what a recipe freezes and divides the other variables of a model into parameter groups.

    Args:
        model: Built model; see `models.create_model`.
        config: Gives multipliers, `layer_decay`, `freeze`, `freeze_batchnorm` and `head_epochs`.

    Returns:
        Group "backbone", or with a `layer_decay` below 1 a group for each of its stages, "backbone c2" and so on; and group
        "head" with everything else, attention blocks inside the backbone included.

    Raises:
        UserError: The backbone is not in the table of backbones, and stages are asked for.
    """
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    if config.freeze_batchnorm:
        for network in networks:
            freeze_batchnorm(network)
    freeze_stages(model, config.freeze)
    layers = {"": [layer for network in networks for layer in network.layers]}
    stages = layers if config.layer_decay == 1 else backbone_stages(networks)
    found = [[variable for layer in layers if not isinstance(layer, Attention) for variable in layer.trainable_variables]
             for layers in stages.values()]
    backbone = [Group(f"backbone {stage}".rstrip(), variables,
                      config.backbone_multiplier * config.layer_decay ** (len(stages) - 1 - number), config.head_epochs)
                for number, (stage, variables) in enumerate(zip(stages, found, strict=True))]
    backbone_ids = {id(variable) for variables in found for variable in variables}
    head = [variable for variable in model.trainable_variables if id(variable) not in backbone_ids]
    return [*backbone, Group("head", head, config.head_multiplier)]


def backbone_stages(networks: Sequence[tf.keras.Model]) -> dict[str, list[tf.keras.layers.Layer]]:
    """Divides the layers of a model's backbone into stages, for layer-wise learning rates.

    Args:
        networks: Networks inside the model.

    Returns:
        From stage, first to last, to its layers: "c2", "c3" and "c4" end at these taps (see `freeze_stages`), "c5" is the
        rest; stages without weights are left out. A backbone that ends at C4 has no "c5".

    Raises:
        UserError: The backbone is not in the table of backbones.
    """
    stages, before = {}, set()
    everything = [layer for network in networks for layer in network.layers]
    for stage in ("c2", "c3", "c4"):
        reached = {id(layer) for layer in _layers_up_to_stage(networks, stage, "--layer_decay", "Use --layer_decay=1.")}
        stages[stage] = [layer for layer in everything if id(layer) in reached - before]
        before |= reached
    stages["c5"] = [layer for layer in everything if id(layer) not in before]
    return {stage: layers for stage, layers in stages.items() if any(layer.weights for layer in layers)}
