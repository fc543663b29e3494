"""Self-test of a cluster, or of this machine, in a quarter of an hour: whether training can be trusted on it, and how fast.

    sbatch --nodes=2 --gpus-per-node=4 experiments/slurm/selftest.sbatch    on the nodes and cards of a training job
    python -m experiments.selftest --output=DIR                             on this machine, without Slurm

Draws photographs, trains on one device, on all of a node and on all nodes, in mixed precision, interrupted by a signal; and
prints one line for each check. DIR/selftest.json sums up for those who develop this project; no user, host or folder is
named in it. Without cards two processes take the place of two nodes. Exit codes: 0 all is ok; 1 something is not; 2 a
mistake to mend.
"""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from absl import flags

from experiments.benchmarks.cluster import MAX_NODES, Plan, measure_all_reduce, measure_input, train, write_plan
from experiments.benchmarks.cluster_cards import examine_machine, failed
from experiments.benchmarks.cluster_evidence import collect
from experiments.benchmarks.cluster_report import judge, summary
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.training.distributed.local_workers import LocalWorkers, worst

TRAINED = ("one", "node", "nodes", "mixed", "full", "interrupted", "resumed")
TIME_IS_OVER = 124  # exit code of a part that takes too long, as `timeout` has it

_OUTPUT = define_output("output", "runs/selftest", "Folder of the self-test, which all nodes see; an earlier one in it is "
                        "replaced.")
_PART = flags.DEFINE_enum("part", None, ["plan", "machine", *TRAINED, "all_reduce", "input", "report"],
                          "Part to run alone, as selftest.sbatch does; unset for all parts, one after another.")
_NODES = flags.DEFINE_integer("nodes", None, "Number of nodes; without Slurm and without cards, of processes in their "
                              "place. By default two of these, or the one machine with cards.", lower_bound=1,
                              upper_bound=MAX_NODES)


def main(_):
    """Runs one part, or all of them."""
    folder, part = Path(_OUTPUT.value), _PART.value
    if part is None:
        sys.exit(_run_all(folder))
    elif part == "plan":
        write_plan(folder, _NODES.value)
    elif part == "report":
        sys.exit(0 if report(folder) else 1)
    elif part in TRAINED:
        train(folder, part)
    else:
        {"machine": examine_machine, "all_reduce": measure_all_reduce, "input": measure_input}[part](folder)


def report(folder: Path) -> bool:
    """Prints one line for each check, writes selftest.json, and returns whether all is ok."""
    try:
        evidence = collect(folder, Plan.read(folder))
        checks = judge(evidence)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        evidence, checks = None, [failed("plan", "a whole plan.json", "none, or a damaged one", "Start the self-test anew.")]
    print("\n== Report")
    for check in checks:
        print(check)
    bad = sum(not check.ok for check in checks)
    path = folder / "selftest.json"
    write_json(path, summary(evidence, checks))
    print(f"\n{f'{bad} of {len(checks)} checks are NOT OK' if bad else f'All {len(checks)} checks are ok'}: {path}")
    return not bad


def _run_all(folder: Path) -> int:
    """Runs the parts as processes of this machine, notes how each ended, and returns the exit code of the last."""
    code = _run("plan", 1, 5, folder, *([] if _NODES.value is None else [f"--nodes={_NODES.value}"]))
    if code:
        return code
    for name, nodes, minutes in Plan.read(folder).parts():
        start = time.monotonic()
        code = _run(name, nodes, minutes, folder)
        with open(folder / "codes.txt", "a", encoding="utf-8") as file:
            file.write(f"{name} {code} {time.monotonic() - start:.0f}\n")
    return _run("report", 1, 5, folder)


def _run(part: str, processes: int, minutes: int, folder: Path, *more: str) -> int:
    """Runs a part as one process or as several workers, no longer than so many minutes, and returns its exit code."""
    if part != "report":
        print(f"\n== {part}", flush=True)
    command = [sys.executable, "-m", "experiments.selftest", f"--part={part}", f"--output={folder}", *more]
    if processes == 1:
        try:
            return worst([subprocess.run(command, timeout=60 * minutes, check=False).returncode])
        except subprocess.TimeoutExpired:
            return TIME_IS_OVER
    workers = LocalWorkers(command, processes)
    timer = threading.Timer(60 * minutes, workers.send, [signal.SIGKILL])
    timer.daemon = True
    timer.start()
    try:
        return workers.wait()
    finally:
        timer.cancel()


if __name__ == "__main__":
    run(main)
