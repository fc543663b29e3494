"""Over which devices and machines a training script works."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Mapping

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.provenance import versions
from landmark_zoo.training.cluster import Cluster, tf_config_cluster
from landmark_zoo.training.code_fingerprint import code_fingerprint
from landmark_zoo.training.crew import Crew
from landmark_zoo.training.own_gpus import take_own_gpus
from landmark_zoo.training.roll_call import roll_call
from landmark_zoo.training.slurm_step import slurm_step
from landmark_zoo.training.stop_signal import SAVED

DISTRIBUTIONS = ("auto", "single", "mirrored", "workers")
SECONDS_FOR_OTHERS = 40  # in which another worker's end, which may have caused an error here, becomes known
ECHOES = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError,
          tf.errors.InternalError, tf.errors.FailedPreconditionError, tf.errors.UnknownError)


@contextlib.contextmanager
def distribution(name: str, facts: Mapping[str, object], seconds: float = 30.0,
                 environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Makes the strategy of `tf.distribute` that a script asks for the current one, before any tensor exists.

    * single: one device, TensorFlow's own choice.
    * mirrored: all GPUs that this process sees.
    * workers: the tasks of this Slurm step, or the workers of TF_CONFIG, with all GPUs that each has.
    * auto: workers where there are several, mirrored where there are several GPUs, else single.

    Several workers end together: an error of one, or its death, ends all with one line each (see `Crew`). Only the chief
    logs; the others say warnings and errors.

    Args:
        name: One of `DISTRIBUTIONS`.
        facts: What must be the same on every worker, besides code, versions and devices: flags.
        seconds: How long the workers wait for each other.
        environ: Of the process.

    Raises:
        UserError: No workers where they were asked for; or see `roll_call`.
    """
    cluster = (slurm_step(environ) or tf_config_cluster(environ)) if name in ("auto", "workers") else None
    if name == "workers" and cluster is None:
        raise UserError("several tasks of a Slurm step, or TF_CONFIG, for --distribution=workers", "neither",
                        "Start with srun, or with experiments.rehearse.")
    gpus = take_own_gpus(environ)
    if cluster is not None:
        with _workers(cluster, gpus, facts, seconds):
            yield
    elif name == "mirrored" or (name == "auto" and gpus > 1):
        strategy = tf.distribute.MirroredStrategy()
        logging.info("Training on %d devices.", strategy.num_replicas_in_sync)
        with strategy.scope():
            yield
    else:
        yield


@contextlib.contextmanager
def _workers(cluster: Cluster, gpus: int, facts: Mapping[str, object], seconds: float) -> Iterator[None]:
    if cluster.rank:
        logging.set_verbosity(logging.WARNING)
    hosts = ",".join(cluster.place(rank)[0] for rank in range(len(cluster.addresses)))
    os.environ["no_grpc_proxy"] = hosts  # noqa: SIM112 (gRPC reads it so)
    facts = {"code": code_fingerprint()[:12], "versions": versions(), "devices": _devices(), **facts}
    crew = roll_call(cluster, facts, seconds)
    with _together(crew):
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=cluster.resolver(gpus))
        logging.info("Training with %d workers (%s), %d devices.", len(cluster.addresses), ", ".join(cluster.addresses),
                     strategy.num_replicas_in_sync)
        with strategy.scope():
            yield


@contextlib.contextmanager
def _together(crew: Crew) -> Iterator[None]:
    """Lets the others know how this worker ends."""
    fail: Callable[..., None] = crew.fail
    try:
        yield
    except UserError as error:
        fail(str(error), 2)
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fail(f"Expected free disk space for {error.filename}; received a full disk. Free some space and start the same "
             "command again: it continues where it was." if full else _one_line(error), 2 if full else 1)
        raise
    except tf.errors.OpError as error:
        fail(_one_line(error), 1, others_first=SECONDS_FOR_OTHERS if isinstance(error, ECHOES) else 0)
        raise
    except SystemExit as end:
        if end.code in (None, 0, SAVED):
            crew.leave()
        else:
            fail(f"It ended with {end.code}.", 1)
        raise
    except BaseException as error:
        fail(_one_line(error), 130 if isinstance(error, KeyboardInterrupt) else 1)
        raise
    else:
        crew.leave()


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _devices() -> list[str]:
    """Returns the kinds of this process's GPUs: synchronous workers must be alike."""
    gpus = tf.config.get_visible_devices("GPU")
    return [str(tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")) for gpu in gpus]
