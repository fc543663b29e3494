"""What the jobs start in the quick tests, in the place of experiments.train and the others."""

import json
import os
import signal
import sys
import time
from pathlib import Path


def main(words: list[str]) -> None:
    """Notes its words, then does as the last says: "exit=N", "until_signal", "until_killed", else nothing."""
    folder, deed = Path(os.environ["NOTES"]), words[-1]
    for name in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(name, lambda number, _: save(folder, signal.Signals(number).name))
    note = {"words": words, "rank": os.environ["SLURM_PROCID"], "node": os.environ["SLURMD_NODENAME"], "pid": os.getpid(),
            "cpus": os.environ.get("SLURM_CPUS_PER_TASK"), "scratch": os.environ["TMPDIR"],
            "proxy": os.environ.get("http_proxy")}
    path = folder / f"{time.monotonic_ns():020}.{os.getpid()}.json"
    path.with_suffix(".part").write_text(json.dumps(note))
    path.with_suffix(".part").rename(path)
    if deed.startswith("exit="):
        sys.exit(int(deed.removeprefix("exit=")))
    if deed == "until_signal" and (folder / "saved").exists():
        print("went on and finished")
        return
    if deed.startswith("until"):
        time.sleep(300)


def save(folder: Path, name: str) -> None:
    """Takes a while, as a checkpoint does."""
    if os.environ["SLURM_PROCID"] == "0":
        time.sleep(2)
        (folder / "saved").write_text(name)
    sys.exit(42)


if __name__ == "__main__":
    main(sys.argv[1:])
