"""One Keras optimizer per group of variables, each with its own learning rate."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.schedule import LearningRate


@dataclasses.dataclass(frozen=True)
class Group:
    """Variables that share a learning-rate multiplier.

    Attributes:
        name: For messages.
        variables: What moves.
        multiplier: Of the learning rate; 0 for variables that do not move.
        from_epoch: Before this epoch they do not move either.
    """

    name: str
    variables: Sequence[tf.Variable]
    multiplier: float
    from_epoch: int = 0


class GroupedOptimizer(tf.Module):
    """Applies gradients group by group, so that a multiplier is exact for every optimizer, Adam's too.

    Args:
        groups: Those with a multiplier of 0 or without variables are left out: they do not move.
        config: Optimizer, peak rate, decay, clipping.
        steps_per_epoch: Batches of one epoch.
        run_step: Steps that the run has made, which the learning rate follows.
    """

    def __init__(self, groups: Sequence[Group], config: TrainingConfig, steps_per_epoch: int, run_step: tf.Variable):
        super().__init__(name="grouped_optimizer")
        moving = [group for group in groups if group.multiplier > 0 and group.variables]
        self.variable_groups = [list(group.variables) for group in moving]
        self._from_steps = tuple(group.from_epoch * steps_per_epoch for group in moving)
        self.optimizers = [_optimizer(config, LearningRate(config, group.multiplier, steps_per_epoch, run_step))
                           for group in moving]
        self._clip_norm = config.clip_norm
        self._l2 = 0.0 if config.optimizer == "adamw" else config.weight_decay
        for optimizer, variables in zip(self.optimizers, self.variable_groups, strict=True):
            if config.optimizer == "adamw":
                optimizer.exclude_from_weight_decay([variable for variable in variables if not _decays(variable)])
            optimizer.build(variables)

    def active(self, step: int) -> tuple[int, ...]:
        """Returns the numbers of the groups that move after so many steps."""
        return tuple(number for number, first in enumerate(self._from_steps) if step >= first)

    def trained(self, active: Sequence[int]) -> list[tf.Variable]:
        """Returns the variables of some groups, in the order in which `apply` wants their gradients."""
        return [variable for number in active for variable in self.variable_groups[number]]

    def apply(self, gradients: Sequence[tf.Tensor], active: Sequence[int]) -> None:
        """Makes one step.

        Args:
            gradients: One per variable of `trained(active)`; under `tf.distribute` already summed over the replicas.
            active: Numbers of groups.
        """
        if self._clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        gradients = iter(gradients)
        for number in active:
            pairs = [(self._decayed(next(gradients), variable), variable) for variable in self.variable_groups[number]]
            self.optimizers[number].apply_gradients(pairs, skip_gradients_aggregation=True)

    def _decayed(self, gradient: tf.Tensor, variable: tf.Variable) -> tf.Tensor:
        return gradient + self._l2 * variable if self._l2 and _decays(variable) else gradient


def _decays(variable: tf.Variable) -> bool:
    return variable.shape.rank > 1


def _optimizer(config: TrainingConfig, rate: LearningRate) -> tf.keras.optimizers.Optimizer:
    if config.optimizer == "sgd":
        return tf.keras.optimizers.SGD(rate, momentum=config.momentum)
    if config.optimizer == "adamw":
        return tf.keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    return tf.keras.optimizers.Adam(rate)
