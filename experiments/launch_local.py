"""Starts several training workers on this machine, without Slurm, as a rehearsal of a run on several machines.

    python -m experiments.launch_local --workers=2 -- --flagfile=experiments/recipes/NAME.flags --records=DIR --workdir=DIR

What stands behind the two dashes are flags of experiments.train. The workers share this machine's processor; SIGUSR1 and
SIGTERM are handed on to them, and their lines begin with their rank. Exit codes are those of experiments.train.
"""

import sys
from collections.abc import Sequence

from absl import flags

from landmark_zoo.core.scripts import run, split_argv
from landmark_zoo.training.distributed.local_workers import LocalWorkers

_WORKERS = flags.DEFINE_integer("workers", 2, "Number of processes that train together.", lower_bound=2, upper_bound=1024)


def main(_, train_flags: Sequence[str] = ()) -> None:
    """Starts the workers and waits for them."""
    workers = LocalWorkers([sys.executable, "-m", "experiments.train", *train_flags], _WORKERS.value)
    sys.exit(workers.wait())


def launch() -> None:
    """Runs `main` with the flags behind "--" handed on."""
    sys.argv, train_flags = split_argv(sys.argv)
    run(lambda argv: main(argv, train_flags))


if __name__ == "__main__":
    launch()
