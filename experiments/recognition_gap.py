"""Former name of `experiments.recognition --submission=FILE.csv`."""

from experiments.recognition import main
from landmark_zoo.core.scripts import run

if __name__ == "__main__":
    run(main)
