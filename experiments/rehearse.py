"""Rehearses a run of several workers on this machine, without Slurm.

    python -m experiments.rehearse --workers=2 -- --flagfile=experiments/recipes/NAME.flags --records=DIR --workdir=DIR

What stands behind the two dashes are flags of experiments.train. The workers share this machine's processor; SIGUSR1 and
SIGTERM are handed on to them, and their lines begin with their rank. Exit codes are those of experiments.train.
"""

import sys

from absl import flags

from landmark_zoo.core.divided import divided
from landmark_zoo.core.script import run
from landmark_zoo.training.local_workers import LocalWorkers

_WORKERS = flags.DEFINE_integer("workers", 2, "How many processes train together.", lower_bound=2)


def main(_, train_flags: list[str] = ()) -> None:
    """Starts them, waits."""
    workers = LocalWorkers([sys.executable, "-m", "experiments.train", *train_flags], _WORKERS.value)
    sys.exit(workers.wait())


if __name__ == "__main__":
    sys.argv, _train_flags = divided(sys.argv)
    run(lambda argv: main(argv, _train_flags))
