"""Report of the cluster self-test: its evidence judged, one line for each check, and summed up for one JSON file."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.benchmarks.cluster_cards import Check, check_machines, failed
from experiments.benchmarks.cluster_evidence import Evidence
from landmark_zoo.core.provenance import git_commit, versions
from landmark_zoo.training.distributed.preemption import SAVED
from landmark_zoo.training.distributed.strategy import code_fingerprint

TOLERANCES = {False: (1e-3, 1e-2), True: (2e-2, 1e-1)}  # of losses, relative, and of weights, of their way; by TF32
MIN_GB_PER_SECOND, MIN_EFFICIENCY, MIN_INPUT = 1.0, 0.5, 1.2
LOG = "Read its lines in the log above."
SEND = "Send us selftest.json and the log."


def judge(evidence: Evidence) -> list[Check]:
    """Returns all checks; one that the facts make impossible is a failed one."""
    checks = []
    for look in (_parts, _nodes, _replicas, _mixed, _all_reduce, _full_load, _input, _signal, _speeds):
        try:
            checks += look(evidence)
        except (ArithmeticError, ValueError, LookupError) as error:
            checks.append(failed(look.__name__.strip("_"), "facts that can be judged", f"{type(error).__name__}: {error}",
                                 SEND))
    return checks


def _parts(evidence: Evidence) -> Iterator[Check]:
    """One line for each part that failed, never ran or left nothing; one for all that did."""
    good, minutes = [], {name: most for name, _, most in evidence.plan.parts()}
    for name in minutes:
        wanted = SAVED if name == "interrupted" else 0
        if name not in evidence.ends:
            yield failed(f"part {name}", f"it to end with exit code {wanted}", "no end: it never ran, or the time was over",
                         "Read the last lines of the log; give sbatch a longer --time.")
        elif evidence.ends[name][0] != wanted:
            code, seconds = evidence.ends[name]
            yield failed(f"part {name}", f"exit code {wanted} within {minutes[name]} minutes",
                         f"exit code {code} after {seconds:.0f} s", LOG)
        elif name not in evidence.facts and name != "machine":
            yield failed(f"part {name}", f"facts/{name}.json", "none, or a damaged one",
                         "Choose an --output on a file system that all nodes share, with space left.")
        else:
            good.append(name)
    if good:
        seconds = sum(evidence.ends[name][1] for name in good)
        yield Check("parts", True, f"{len(good)} of {len(minutes)} ended as they should, in {seconds:.0f} s")


def _nodes(evidence: Evidence) -> Iterator[Check]:
    """Cards, driver and kernels of each node."""
    yield from check_machines(evidence.machines)


def _replicas(evidence: Evidence) -> Iterator[Check]:
    """One replica against all of a node and all of all nodes."""
    if evidence.plan.replicas == 1:
        yield Check("replicas", True, "one only: nothing to compare")
    for name, what in (("node", f"{evidence.plan.cards} cards of one node"),
                       ("nodes", f"{evidence.plan.replicas} devices of {evidence.plan.nodes} nodes")):
        if _ended(evidence, name, "one"):
            yield same_run(f"one replica and {what}", evidence, name, "one")


def _ended(evidence: Evidence, *parts: str) -> bool:
    """Returns whether these parts left their facts; of one that did not there is a line already."""
    return all(name in evidence.facts for name in parts)


def same_run(subject: str, evidence: Evidence, name: str, other: str) -> Check:
    """Returns whether a run used all its devices, made the steps of another with the same losses, and reached its weights.

    Args:
        subject: Name of the check.
        evidence: Runs, and the difference of their weights.
        name: Run to check.
        other: Run that it should equal.
    """
    run, wanted, plan = evidence.runs[name], evidence.runs[other], evidence.plan
    loss_tolerance, weight_tolerance = TOLERANCES[evidence.tf32]
    devices, steps = plan.cards if name == "node" else plan.replicas, tuple(range(1, plan.epochs * plan.steps + 1))
    if evidence.facts[name]["replicas"] != devices:
        return failed(subject, f"run {name} on {devices} devices", str(evidence.facts[name]["replicas"]), LOG)
    for each, made in ((other, wanted.steps), (name, run.steps)):
        if made != steps:
            return failed(subject, f"steps 1 to {steps[-1]} in the history of run {each}", _shortened(made), LOG)
    for step, loss, expected in zip(steps, run.losses, wanted.losses, strict=True):
        if not abs(loss - expected) <= loss_tolerance * abs(expected):
            return failed(subject, f"a loss of {expected:.5g} at step {step} in run {name}, as in run {other}, within "
                          f"{loss_tolerance:.1%}", f"{loss:.5g}", f"Trust no run on several devices here. {SEND}")
    difference = evidence.differences.get(name)
    if difference is None:
        return failed(subject, f"whole checkpoints of runs {name} and {other}", "none, or damaged ones", LOG)
    if not difference <= weight_tolerance:
        return failed(subject, f"weights in run {name} as in run {other}, within {weight_tolerance:.0%} of the way from the "
                      "initial ones", f"{difference:.2%}", f"Trust no run on several devices here. {SEND}")
    apart = max(abs(loss / expected - 1) for loss, expected in zip(run.losses, wanted.losses, strict=True))
    return Check(subject, True, f"same loss at {len(steps)} steps (at most {apart:.1e} apart) and same weights "
                 f"({difference:.1e} of their way apart{', TF32' if evidence.tf32 else ''})")


def _shortened(steps: Sequence[int]) -> str:
    return f"{len(steps)} steps, {steps[0]} to {steps[-1]}" if steps else "no step"


def _mixed(evidence: Evidence) -> Iterator[Check]:
    """Mixed precision: finite, and faster than float32 where the cards have tensor cores."""
    if not _ended(evidence, "mixed", "one"):
        return
    run, plain, plan = evidence.runs["mixed"], evidence.runs["one"], evidence.plan
    subject = f"mixed precision ({evidence.facts['mixed']['precision']})"
    if len(run.losses) < plan.epochs * plan.steps or not all(map(math.isfinite, run.losses)):
        yield failed(subject, f"{plan.epochs * plan.steps} finite losses",
                     f"{sum(map(math.isfinite, run.losses))} of {len(run.losses)}",
                     f"Train with --precision=float32. {SEND}")
        return
    gain = run.speed / plain.speed if plain.speed else math.nan
    if plan.has_tensor_cores and not gain > 1:
        yield failed(subject, "more images/s than in float32 on cards with tensor cores",
                     f"{run.speed:.0f} against {plain.speed:.0f}", "Look at the input pipeline's line first; where that is "
                     "ok, train with --precision=float32.")
        return
    yield Check(subject, True, f"finite, {gain:.2f} times the images/s of float32"
                f"{'' if plan.has_tensor_cores else '; no gain is expected without tensor cores'}")


def _all_reduce(evidence: Evidence) -> Iterator[Check]:
    """Sum over all replicas: right, and on cards not too slow."""
    if not _ended(evidence, "all_reduce"):
        return
    facts, plan = evidence.facts["all_reduce"], evidence.plan
    count, speed = facts["replicas"], facts["gb_per_second"]
    wanted, subject = plan.replicas * (plan.replicas + 1) / 2, "all-reduce"
    if count != plan.replicas or len(facts["sums"]) != 2 or any(value != wanted for value in facts["sums"]):
        yield failed(subject, f"{wanted:g}, the sum over {plan.replicas} devices", f"{facts['sums'][:2]} over {count}",
                     f"Set NCCL_DEBUG=INFO, submit again. {SEND}")
    elif plan.cards and not speed >= MIN_GB_PER_SECOND:
        yield failed(subject, f"{MIN_GB_PER_SECOND:g} GB/s or more", f"{speed:.2g} GB/s", "Name the fast network in "
                     "NCCL_SOCKET_IFNAME of experiments/slurm/site.sh (ib0 where there is InfiniBand), or stay on one node.")
    else:
        yield Check(subject, True, f"{speed:.2g} GB/s over {count} devices, {facts['mib']} MiB at a time")


def _full_load(evidence: Evidence) -> Iterator[Check]:
    """All devices at full load against one device times their number."""
    plan = evidence.plan
    alone = "mixed" if plan.has_tensor_cores else "one"
    if not _ended(evidence, "full", alone) or plan.replicas == 1:
        return
    speed, one = evidence.runs["full"].speed, evidence.runs[alone].speed
    share = speed / (plan.replicas * one) if one else 0.0
    if share < MIN_EFFICIENCY:
        yield failed("full load", f"{MIN_EFFICIENCY:.0%} or more of {plan.replicas} times one card's {one:.0f} images/s",
                     f"{speed:.0f} images/s, {share:.0%}", "Look at the lines of all-reduce and input pipeline; fewer "
                     "nodes may be as fast.")
    else:
        yield Check("full load", True, f"{speed:.0f} images/s on {plan.replicas} cards, {share:.0%} of so many times one")


def _input(evidence: Evidence) -> Iterator[Check]:
    """Input pipeline alone against what a node's training takes."""
    run = "full" if "full" in evidence.facts else evidence.plan.widest
    if not _ended(evidence, "input", run):
        return
    alone, cores = (evidence.facts["input"][name] for name in ("images_per_second", "cores"))
    taken = evidence.runs[run].speed / evidence.plan.nodes
    if not alone >= MIN_INPUT * taken:
        yield failed("input pipeline", f"{MIN_INPUT:g} times the {taken:.0f} images/s of training on a node, or more",
                     f"{alone:.0f} on {cores} cores", "Ask for more cores (--cpus-per-task); keep records on a fast disk.")
    else:
        yield Check("input pipeline", True, f"{alone:.0f} images/s alone on {cores} cores; training takes {taken:.0f} there")


def _signal(evidence: Evidence) -> Iterator[Check]:
    """SIGUSR1: saved within the run, gone on at that step, and ended as without it."""
    plan, subject = evidence.plan, "signal and start again"
    if not _ended(evidence, "interrupted", "resumed"):
        return
    saved, started = evidence.facts["interrupted"]["saved_at"], evidence.facts["resumed"]["started_at"]
    last = plan.epochs * plan.steps
    if saved is None or not 0 < saved < last:
        yield failed(subject, f"a checkpoint between steps 1 and {last - 1} after SIGUSR1", f"one of step {saved}", SEND)
    elif started != saved:
        yield failed(subject, f"the run to go on at step {saved}", f"step {started or 0}",
                     "Choose a --workdir on a file system that all nodes share.")
    elif _ended(evidence, plan.widest):
        check = same_run(subject, evidence, "resumed", plan.widest)
        yield dataclasses.replace(check, text=f"saved at step {saved}, went on there; {check.text}") if check.ok else check


def _speeds(evidence: Evidence) -> Iterator[Check]:
    """Images per second and peak memory of each run that is there."""
    for name, run in evidence.runs.items():
        if name in evidence.facts and run.speeds and name not in ("interrupted", "resumed"):
            facts = evidence.facts[name]
            yield Check(f"run {name}", True, f"{run.speed:.0f} images/s, at most {facts['peak_mib']:.0f} MiB, "
                        f"{facts['batch_size']} images a step on {facts['replicas']} "
                        f"device{'s' * (facts['replicas'] > 1)}, {facts['precision']}")


def summary(evidence: Evidence | None, checks: Sequence[Check]) -> dict[str, Any]:
    """Returns the content of selftest.json: checks, versions, nodes and numbers; no name of a user, a host or a folder."""
    known = {} if evidence is None else {
        "plan": dataclasses.asdict(evidence.plan), "machines": evidence.machines, "ends": evidence.ends,
        "facts": evidence.facts, "differences": evidence.differences,
        "runs": {name: dataclasses.asdict(run) for name, run in evidence.runs.items()}}
    return {"ok": all(check.ok for check in checks), "checks": [dataclasses.asdict(check) for check in checks],
            "versions": versions(), "commit": git_commit(), "code": code_fingerprint()[:12], **_finite(known)}


def _finite(value: Any) -> Any:
    """Returns a JSON value with null for every number that is none or infinite."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
