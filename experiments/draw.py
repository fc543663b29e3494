"""Former name of `experiments.make_synthetic`."""

from experiments.make_synthetic import main
from landmark_zoo.core.scripts import run

if __name__ == "__main__":
    run(main)
