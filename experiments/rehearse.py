"""Former name of `experiments.launch_local`."""

from experiments.launch_local import launch

if __name__ == "__main__":
    launch()
