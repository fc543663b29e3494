"""Mixed precision: the Keras policy of a model, its choice by a trial of training steps, and the loss scale."""

import contextlib
import re
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distributed.collectives import all_reduce_sum, broadcast

BFLOAT16_CAPABILITY = (8, 0)  # compute capability from which tensor cores have bfloat16
BFLOAT16_CPU_FLAGS = ("amx_bf16", "avx512_bf16")  # of /proc/cpuinfo, of cores that multiply bfloat16
TRIED = ("float32", "mixed_bfloat16")
TRIAL_STEPS, TRIAL_GAIN = 5, 1.05
TRIAL_WORTH = 200  # steps of a run below which a trial takes longer than it can save
INITIAL_LOSS_SCALE, GROWTH_STEPS = 2.0**15, 2000


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Context manager that gives the models built inside a Keras precision policy.

    Backbone and attention blocks compute in it. Poolings, embedding layer, heads and preprocessing are float32 always, and
    so are all weights, so that the same model without the policy reads the checkpoints.

    Args:
        policy: "float32", "mixed_bfloat16" or "mixed_float16".
    """
    previous = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(previous)


def auto_precision(name: str) -> str:
    """Chooses mixed_bfloat16 or float32 from the compute capability of this machine's GPUs, and logs the choice.

    It is the choice without a trial. mixed_bfloat16 where the tensor cores of all GPUs have it (A100 and newer). float32
    elsewhere: on the CPU; on P100, which has no tensor cores; and on V100 and T4, whose tensor cores want float16 and a loss
    scale, which must be asked for.

    Args:
        name: "auto"; other names are returned as they are.
    """
    if name != "auto":
        return name
    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.get_visible_devices("GPU")]
    policy = policy_for([gpu.get("compute_capability") for gpu in gpus])
    names = ", ".join(f"{gpu.get('device_name', 'GPU')} ({_version(gpu.get('compute_capability'))})" for gpu in gpus)
    logging.info("--precision=auto: %s on %s.", policy, names or "the CPU")
    return policy


def bfloat16_can_gain(cpuinfo: str | Path = "/proc/cpuinfo") -> bool:
    """Returns whether the devices of this process multiply bfloat16 themselves: all GPUs, or where there is none the CPU.

    Args:
        cpuinfo: File in which Linux lists the CPU's abilities; an absent one counts as none.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        return policy_for([gpu.get("compute_capability") for gpu in details]) == "mixed_bfloat16"
    found = re.search(r"^flags\s*:(.*)", Path(cpuinfo).read_text(), re.MULTILINE) if Path(cpuinfo).exists() else None
    return found is not None and any(flag in found[1].split() for flag in BFLOAT16_CPU_FLAGS)


def precision_by_trial(make_step: Callable[[str], Callable[[], object]], can_gain: bool,
                       clock: Callable[[], float] = time.perf_counter) -> str:
    """Chooses mixed_bfloat16 where it makes training steps faster by 5 % or more, else float32, and logs both speeds.

    After one step of each, which traces it, the two take turns, so that both see the machine as it is; the medians of five
    steps count. All workers must call it together: all make the steps, the chief's clock decides. A precision whose loss is
    not finite is not chosen.

    Args:
        make_step: Function of a Keras policy; returns a function that makes one training step in it.
        can_gain: Whether this worker's devices can gain, see `bfloat16_can_gain`; without any gain for one, no trial.
        clock: Returns seconds since some fixed moment.

    Returns:
        "float32" or "mixed_bfloat16", the same on every worker.
    """
    if all_reduce_sum(not can_gain)[0]:
        logging.info("--precision=auto: float32, for these devices do not multiply bfloat16.")
        return "float32"
    steps, seconds = {}, {policy: [] for policy in TRIED}
    try:
        for policy in TRIED:
            steps[policy] = make_step(policy)
            steps[policy]()
        for _ in range(TRIAL_STEPS):
            for policy in TRIED:
                start = clock()
                steps[policy]()
                seconds[policy].append(clock() - start)
    except UserError as error:
        logging.info("--precision=auto: float32, for no trial was possible: %s", error)
        return "float32"
    medians = {policy: statistics.median(found) for policy, found in seconds.items()}
    gain = broadcast(medians["float32"] / medians["mixed_bfloat16"])
    policy = "mixed_bfloat16" if gain >= TRIAL_GAIN else "float32"
    logging.info("--precision=auto: %s; %s.", policy, ", ".join(
        f"{1 / max(median, 1e-9):.3g} steps/s in {name}" for name, median in medians.items()))
    return policy


def policy_for(capabilities: list[tuple[int, int] | None]) -> str:
    """Returns the Keras policy for GPUs of these compute capabilities; None stands for a GPU that does not tell its own.

    Example:
        >>> policy_for([(8, 0), (9, 0)]), policy_for([(7, 5)]), policy_for([])
        ('mixed_bfloat16', 'float32', 'float32')
    """
    has_bfloat16 = [known is not None and tuple(known) >= BFLOAT16_CAPABILITY for known in capabilities]
    return "mixed_bfloat16" if capabilities and all(has_bfloat16) else "float32"


def _version(capability: tuple[int, int] | None) -> str:
    return "unknown compute capability" if capability is None else f"compute capability {capability[0]}.{capability[1]}"


class LossScale(tf.Module):
    """Dynamic loss scale: the factor of a loss that keeps its gradients from vanishing in float16.

    As in Micikevicius et al., Mixed Precision Training, ICLR 2018, section 3.2, with the numbers of Keras'
    `LossScaleOptimizer`: halved, down to 1, after each step whose gradients overflow, which is left out; doubled after
    2,000 steps in a row without overflow.

    Args:
        growth_steps: Number of steps without overflow after which the scale is doubled.

    Attributes:
        value: float32 [], the scale.
        good_steps: int64 [], steps in a row without overflow.
    """

    def __init__(self, growth_steps: int = GROWTH_STEPS):
        super().__init__(name="loss_scale")
        self._growth_steps = growth_steps
        self.value = tf.Variable(INITIAL_LOSS_SCALE, trainable=False, name="value")
        self.good_steps = tf.Variable(0, dtype=tf.int64, trainable=False, name="good_steps")

    def unscale(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradients divided by the scale, float32."""
        return [tf.cast(gradient, tf.float32) / self.value for gradient in gradients]

    def update(self, finite: tf.Tensor) -> None:
        """Changes the scale after a step.

        Args:
            finite: bool [], whether the step's gradients were finite.

        Raises:
            InvalidArgumentError: "a gradient is not finite" although the scale is 1 already.
        """
        tf.debugging.Assert(finite | (self.value > 1), ["a gradient is not finite"])
        good = tf.where(finite, self.good_steps + 1, 0)
        grow = good >= self._growth_steps
        self.value.assign(tf.where(finite, tf.where(grow, 2 * self.value, self.value), tf.maximum(self.value / 2, 1)))
        self.good_steps.assign(tf.where(grow, tf.zeros_like(good), good))
