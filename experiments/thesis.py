"""Former name of `experiments.paper_2208_04201`."""

from experiments.paper_2208_04201 import main
from landmark_zoo.core.scripts import run

if __name__ == "__main__":
    run(main)
