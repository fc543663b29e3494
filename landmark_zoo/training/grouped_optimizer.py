"""One Keras optimizer per group of variables, each with its own learning rate."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.schedule import WarmupCosine


@dataclasses.dataclass(frozen=True)
class Group:
    """Variables that share a learning-rate multiplier."""

    name: str
    variables: Sequence[tf.Variable]
    multiplier: float


class GroupedOptimizer(tf.Module):
    """Applies gradients group by group, so that a multiplier is exact for every optimizer, Adam's too.

    Args:
        groups: Those with a multiplier of 0 or without variables are left out: they do not move.
        config: Optimizer, peak rate, decay, clipping.
        total_steps: Length of the run.
    """

    def __init__(self, groups: Sequence[Group], config: TrainingConfig, total_steps: int):
        super().__init__(name="grouped_optimizer")
        moving = [group for group in groups if group.multiplier > 0 and group.variables]
        warmup = min(int(config.warmup_fraction * total_steps), max(total_steps - 1, 0))
        self.variable_groups = [list(group.variables) for group in moving]
        self.schedule = WarmupCosine(config.learning_rate, total_steps, warmup)
        self.optimizers = [_optimizer(config, WarmupCosine(config.learning_rate * group.multiplier, total_steps, warmup))
                           for group in moving]
        self.clip_norm = config.clip_norm
        for optimizer, variables in zip(self.optimizers, self.variable_groups, strict=True):
            optimizer.build(variables)

    @property
    def trained(self) -> list[tf.Variable]:
        """All variables that move, in the order in which `apply` wants their gradients."""
        return [variable for group in self.variable_groups for variable in group]

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Makes one step.

        Args:
            gradients: One per variable of `trained`.
        """
        if self.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm)
        start = 0
        for optimizer, variables in zip(self.optimizers, self.variable_groups, strict=True):
            optimizer.apply_gradients(zip(gradients[start:start + len(variables)], variables, strict=True))
            start += len(variables)


def _optimizer(config: TrainingConfig, schedule: WarmupCosine) -> tf.keras.optimizers.Optimizer:
    if config.optimizer == "sgd":
        return tf.keras.optimizers.SGD(schedule, momentum=config.momentum)
    if config.optimizer == "adamw":
        return tf.keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
    return tf.keras.optimizers.Adam(schedule)
