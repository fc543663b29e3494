"""Former name of `experiments.verify`."""

from experiments.verify import main
from landmark_zoo.core.scripts import run

if __name__ == "__main__":
    run(main)
