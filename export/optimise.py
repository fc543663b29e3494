"""Former name of `export.optimize`."""

from export.optimize import main
from landmark_zoo.core.scripts import run

if __name__ == "__main__":
    run(main)
