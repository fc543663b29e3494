"""The GPUs of a task that shares its node with others."""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.slurm_step import tasks_per_node


def take_own_gpus(environ: Mapping[str, str]) -> int:
    """Makes this task's GPUs the only visible ones, lets their memory grow as needed, and returns how many they are."""
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        own = [gpus[number] for number in own_gpus(len(gpus), environ)]
        tf.config.set_visible_devices(own, "GPU")
        for gpu in own:
            tf.config.experimental.set_memory_growth(gpu, True)
        gpus = own
    return len(gpus)


def own_gpus(visible: int, environ: Mapping[str, str]) -> range:
    """Returns which of the visible GPUs belong to this task.

    Where Slurm gave the task some of the node's GPUs (CUDA_VISIBLE_DEVICES), all that it sees; where each of the node's
    tasks sees all of them, an equal part by SLURM_LOCALID.

    Args:
        visible: How many this process sees.
        environ: Of the process.

    Raises:
        UserError: The node's tasks cannot share its GPUs evenly.
    """
    on_node, local = int(environ.get("SLURM_GPUS_ON_NODE") or 0), int(environ.get("SLURM_LOCALID") or 0)
    tasks = _tasks_here(environ)
    if tasks == 1 or visible < on_node or not on_node:
        return range(visible)
    if visible % tasks:
        raise UserError(f"GPUs that the node's {tasks} tasks can share evenly", str(visible),
                        "Ask for one task per node or per GPU.")
    each = visible // tasks
    return range(local * each, (local + 1) * each)


def _tasks_here(environ: Mapping[str, str]) -> int:
    counts = environ.get("SLURM_STEP_TASKS_PER_NODE")
    return tasks_per_node(counts)[int(environ.get("SLURM_NODEID") or 0)] if counts else 1
