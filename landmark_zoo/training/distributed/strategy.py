"""The `tf.distribute` strategy of a script: one device, all GPUs of this process, or several workers.

`create_strategy` finds the workers (`cluster`), lets them meet (`rendezvous`), and sees to it that an error of one ends all
(`worker_group`).
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.provenance import versions
from landmark_zoo.core.scripts import FULL_DISK, place_error
from landmark_zoo.training.distributed.cluster import Cluster, assign_gpus, slurm_cluster, tf_config_cluster
from landmark_zoo.training.distributed.interfaces import close_to_other_machines, on_one_machine
from landmark_zoo.training.distributed.preemption import SAVED
from landmark_zoo.training.distributed.rendezvous import rendezvous
from landmark_zoo.training.distributed.worker_group import WorkerGroup

DISTRIBUTIONS = ("auto", "single", "mirrored", "workers")
PACKAGE = Path(__file__).parents[2]
SECONDS_FOR_CAUSE = 60  # in which the loss of another worker, which may have caused an error here, becomes known
MAYBE_CAUSED_BY_OTHERS = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError,
    tf.errors.InternalError, tf.errors.FailedPreconditionError, tf.errors.UnknownError)


@contextlib.contextmanager
def create_strategy(name: str, facts: Mapping[str, object], seconds: float = 30.0,
                    environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Context manager under which a `tf.distribute` strategy is the current one; enter it before any tensor exists.

    * single: one device, TensorFlow's own choice.
    * mirrored: all GPUs that this process sees.
    * workers: the tasks of this Slurm step, or the workers of TF_CONFIG, with all GPUs that each has.
    * auto: workers where there are several, mirrored where there are several GPUs, else single.

    Several workers end together: an error of one, or its death, ends all with one line each (see `WorkerGroup`). Only the
    chief logs; the others print warnings and errors.

    Args:
        name: One of `DISTRIBUTIONS`.
        facts: Values that must be the same on every worker, besides code, versions and devices: flags.
        seconds: Seconds that the workers wait for each other.
        environ: Environment of the process.

    Raises:
        UserError: No workers where they were asked for; or see `rendezvous`.
    """
    cluster = (slurm_cluster(environ) or tf_config_cluster(environ)) if name in ("auto", "workers") else None
    if name == "workers" and cluster is None:
        raise UserError("several tasks of a Slurm step, or TF_CONFIG, for --distribution=workers", "neither",
                        "Start with srun, or with experiments.launch_local.")
    gpus = assign_gpus(environ)
    if cluster is not None:
        with _multi_worker_scope(cluster, gpus, facts, seconds):
            yield
    elif name == "mirrored" or (name == "auto" and gpus > 1):
        strategy = tf.distribute.MirroredStrategy()
        logging.info("Training on %d devices.", strategy.num_replicas_in_sync)
        with strategy.scope():
            yield
    else:
        yield


@contextlib.contextmanager
def _multi_worker_scope(cluster: Cluster, gpus: int, facts: Mapping[str, object], seconds: float) -> Iterator[None]:
    """Context manager of `MultiWorkerMirroredStrategy`, between the rendezvous and the common end."""
    if cluster.rank:
        logging.set_verbosity(logging.WARNING)
    hosts = ",".join(cluster.host_port(rank)[0] for rank in range(len(cluster.addresses)))
    os.environ["no_grpc_proxy"] = hosts  # noqa: SIM112 (gRPC reads it so)
    facts = {"code": code_fingerprint()[:12], "versions": versions(), "devices": _devices(), **facts}
    group = rendezvous(cluster, facts, seconds)
    with _report_outcome(group):
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=cluster.resolver(gpus))
        if not (on_one_machine(cluster) and close_to_other_machines(cluster.host_port(cluster.rank)[1])):
            logging.info("TensorFlow's own ports (%s) ask for no password: whoever reaches them can read and write this "
                         "account's files. Let only the machines of this job reach them.", ", ".join(cluster.addresses))
        logging.info("Training with %d workers (%s), %d devices.", len(cluster.addresses), ", ".join(cluster.addresses),
                     strategy.num_replicas_in_sync)
        with strategy.scope():
            yield


@contextlib.contextmanager
def _report_outcome(group: WorkerGroup) -> Iterator[None]:
    """Context manager that tells the other workers how this one ends: with an error, preempted, or done."""
    try:
        yield
    except UserError as error:
        group.fail(str(error), 2)
        raise
    except (OSError, tf.errors.OpError) as error:
        line = place_error(error) or ""
        if FULL_DISK in line:
            group.fail(line, 2)
        else:
            group.fail(_one_line(error), 1, SECONDS_FOR_CAUSE if isinstance(error, MAYBE_CAUSED_BY_OTHERS) else 0)
        raise
    except SystemExit as end:
        if end.code in (None, 0, SAVED):
            group.leave()
        else:
            group.fail(f"It ended with {end.code}.", 1)
        raise
    except BaseException as error:
        group.fail(_one_line(error), 130 if isinstance(error, KeyboardInterrupt) else 1)
        raise
    else:
        group.leave()


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _devices() -> list[str]:
    """Returns the device names of this process's GPUs: synchronous workers must be alike."""
    gpus = tf.config.get_visible_devices("GPU")
    return [str(tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")) for gpu in gpus]


def code_fingerprint(folder: Path = PACKAGE) -> str:
    """Returns a SHA-256 of the names and bytes of all Python files below a folder, by default of this package."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
