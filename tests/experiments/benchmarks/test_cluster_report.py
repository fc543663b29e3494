"""Verdicts of the cluster self-test on made-up evidence: all is well, or one line says what is not."""

import copy
import json
import math

import pytest

from experiments.benchmarks.cluster import make_plan
from experiments.benchmarks.cluster_evidence import Evidence, Run
from experiments.benchmarks.cluster_report import judge, summary
from landmark_zoo.core.strict_json import parse_json

MACHINE = {"versions": {"tensorflow": "2.15.1"}, "cuda": "12.2", "cudnn": "8", "build": ["sm_60", "sm_70", "compute_80"],
           "seconds": 9.5, "cores": 28, "memory_gib": 250.0, "interface": "ib0"}
STEPS = tuple(range(1, 25))


def made(nodes=2, cards=4, capability="8.0"):
    """Evidence of a cluster on which all is as it should be; its dicts may be changed."""
    plan = make_plan(nodes, [capability] * cards)
    steps = STEPS[:plan.epochs * plan.steps]
    losses = tuple(8 - 0.1 * step for step in steps)
    speeds = {"one": 400.0, "node": 1000.0, "nodes": 1200.0, "mixed": 700.0, "full": 5000.0}
    replicas = {"one": 1, "node": cards, "mixed": 1}
    trained = [name for name, *_ in plan.parts() if name not in ("machine", "all_reduce", "input")]
    facts = {name: {"replicas": replicas.get(name, plan.replicas), "precision": plan.mixed if name == "mixed" else "float32",
                    "batch_size": plan.batch_size, "peak_mib": 9000.0, "started_at": None, "saved_at": steps[-1]}
             for name in trained}
    facts["interrupted"]["saved_at"] = facts["resumed"]["started_at"] = 5
    facts["input"] = {"images_per_second": 9000.0, "cores": 28}
    if plan.replicas > 1:
        facts["all_reduce"] = {"replicas": plan.replicas, "mib": 64, "gb_per_second": 12.0,
                               "sums": [plan.replicas * (plan.replicas + 1) / 2] * 2}
    machine = MACHINE | {"given": cards, "cards": [{"name": "A100", "capability": capability}] * cards,
                         "right": [True] * cards,
                         "smi": [{"driver": "535.1", "memory_mib": 40960, "name": "A100"}] * cards}
    runs = {name: Run(steps, losses, (speeds.get(name, 1000.0),) * len(steps)) for name in trained}
    differences = {name: 1e-5 for name in ("node", "nodes", "resumed") if name in trained}
    return Evidence(plan, {name: (42 if name == "interrupted" else 0, 20.0) for name, *_ in plan.parts()},
                    [copy.deepcopy(machine) for _ in range(nodes)], facts, runs, differences)


def bad(evidence):
    return [str(check) for check in judge(evidence) if not check.ok]


@pytest.mark.parametrize("cluster", [(2, 4, "8.0"), (1, 1, "8.0"), (1, 4, "7.0"), (2, 1, "6.0"), (2, 0, ""), (3, 0, "")])
def test_all_is_well(cluster):
    evidence = made(*cluster)
    said = [str(check) for check in judge(evidence)]
    assert bad(evidence) == []
    text = "\n".join(said)
    count = len(evidence.ends)
    assert said[0] == f"ok     parts: {count} of {count} ended as they should, in {20 * count} s"
    assert "saved at step 5, went on there; same loss at" in text
    assert ("none on" in text) == (not cluster[1])
    assert ("times the images/s of float32; no gain" in text) == (cluster[2] in ("", "6.0"))
    assert all(f"run {name}: " in text for name in evidence.runs if name not in ("interrupted", "resumed"))


def test_what_a_cluster_of_two_nodes_is_told():
    subjects = [check.subject for check in judge(made())]
    assert subjects == [
        "parts", "cards of node 0", "kernels of node 0", "cards of node 1", "kernels of node 1",
        "one replica and 4 cards of one node", "one replica and 8 devices of 2 nodes", "mixed precision (mixed_bfloat16)",
        "all-reduce", "full load", "input pipeline", "signal and start again", "run one", "run node", "run nodes",
        "run mixed", "run full"]


def run_with(evidence, name, **changes):
    run = evidence.runs[name]
    evidence.runs[name] = Run(**{"steps": run.steps, "losses": run.losses, "speeds": run.speeds} | changes)


def loss_at(evidence, name, step, loss):
    losses = list(evidence.runs[name].losses)
    losses[step - 1] = loss
    run_with(evidence, name, losses=tuple(losses))


CHANGES = {
    "never ran": (lambda e: e.ends.pop("input"), "part input: Expected it to end with exit code 0; received no end"),
    "failed": (lambda e: e.ends.update(full=(1, 7.0)),
               "part full: Expected exit code 0 within 4 minutes; received exit code 1 after 7 s."),
    "not stopped": (lambda e: e.ends.update(interrupted=(0, 7.0)), "part interrupted: Expected exit code 42"),
    "too long": (lambda e: e.ends.update(one=(124, 240.0)), "received exit code 124 after 240 s. Read its lines"),
    "no facts": (lambda e: e.facts.pop("mixed"), "part mixed: Expected facts/mixed.json; received none, or a damaged one."),
    "loss of a node": (lambda e: loss_at(e, "node", 3, 7.0),
                       "Expected a loss of 7.7 at step 3 in run node, as in run one, within 2.0%; received 7."),
    "loss of all": (lambda e: loss_at(e, "nodes", 24, 5.0), "at step 24 in run nodes"),
    "no number": (lambda e: loss_at(e, "nodes", 2, math.nan), "received nan."),
    "a step twice": (lambda e: run_with(e, "nodes", steps=(1, *STEPS[:-1])),
                     "Expected steps 1 to 24 in the history of run nodes; received 24 steps, 1 to 23."),
    "no history": (lambda e: run_with(e, "node", steps=(), losses=()), "received no step."),
    "fewer replicas": (lambda e: e.facts["node"].update(replicas=1), "Expected run node on 4 devices; received 1."),
    "weights": (lambda e: e.differences.update(nodes=0.5),
                "weights in run nodes as in run one, within 10% of the way from the initial ones; received 50.00%."),
    "still weights": (lambda e: e.differences.update(node=math.inf), "received inf%"),
    "no checkpoint": (lambda e: e.differences.pop("node"), "Expected whole checkpoints of runs node and one"),
    "slow in half": (lambda e: run_with(e, "mixed", speeds=(390.0,)),
                     "Expected more images/s than in float32 on cards with tensor cores; received 390 against 400."),
    "half not finite": (lambda e: loss_at(e, "mixed", 9, math.nan), "Expected 24 finite losses; received 23 of 24."),
    "wrong sum": (lambda e: e.facts["all_reduce"].update(sums=[36.0, 28.0]),
                  "Expected 36, the sum over 8 devices; received [36.0, 28.0] over 8."),
    "fewer devices": (lambda e: e.facts["all_reduce"].update(replicas=4), "over 4."),
    "slow network": (lambda e: e.facts["all_reduce"].update(gb_per_second=0.11),
                     "Expected 1 GB/s or more; received 0.11 GB/s. Name the fast network in NCCL_SOCKET_IFNAME"),
    "no speed-up": (lambda e: run_with(e, "full", speeds=(1400.0,)),
                    "Expected 50% or more of 8 times one card's 700 images/s; received 1400 images/s, 25%."),
    "slow input": (lambda e: e.facts["input"].update(images_per_second=2600.0),
                   "Expected 1.2 times the 2500 images/s of training on a node, or more; received 2600 on 28 cores."),
    "nothing saved": (lambda e: e.facts["interrupted"].update(saved_at=None), "received one of step None."),
    "saved at the end": (lambda e: e.facts["interrupted"].update(saved_at=24), "a checkpoint between steps 1 and 23"),
    "from the beginning": (lambda e: e.facts["resumed"].update(started_at=None),
                           "Expected the run to go on at step 5; received step 0."),
    "elsewhere": (lambda e: e.facts["resumed"].update(started_at=4), "received step 4."),
    "other end": (lambda e: e.differences.update(resumed=0.2), "Expected weights in run resumed as in run nodes"),
    "no card": (lambda e: e.machines[1].update(cards=[]),
                "cards of node 1: Expected 4 cards, as given, in TensorFlow; received 0"),
    "no node": (lambda e: e.machines.__setitem__(1, None), "node 1: Expected facts of this node"),
    "absurd number": (lambda e: e.facts["input"].update(images_per_second=10**400),
                      "input: Expected facts that can be judged; received OverflowError"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_line_says_what_is_wrong(change):
    """A second line may follow from the first: a resumed run is compared with the widest, nodes with each other."""
    evidence = made()
    alter, said = CHANGES[change]
    alter(evidence)
    found = [line for line in bad(evidence) if "nodes: Expected the same versions" not in line]
    assert found[0].startswith("NOT OK ")
    assert said in found[0]
    assert all(line.startswith("NOT OK signal") and "run nodes" in line for line in found[1:]), found


def test_tolerances_without_tf32_are_narrower():
    evidence = made(2, 0, "")
    loss_at(evidence, "nodes", 2, 7.81)
    assert "within 0.1%; received 7.81." in bad(evidence)[0]
    evidence = made(2, 0, "")
    evidence.differences["nodes"] = 0.02
    assert "within 1% of the way" in bad(evidence)[0]


def test_nothing_ran():
    evidence = made()
    for left in (evidence.ends, evidence.facts, evidence.differences):
        left.clear()
    evidence.machines[:] = [None, None]
    said = bad(evidence)
    assert len(said) == 12
    assert len([line for line in said if "it never ran, or the time was over" in line]) == 10


def test_processors_need_no_fast_network():
    evidence = made(2, 0, "")
    evidence.facts["all_reduce"]["gb_per_second"] = 0.01
    assert bad(evidence) == []


def test_the_summary_is_strict_json():
    evidence = made()
    loss_at(evidence, "nodes", 2, math.nan)
    evidence.differences["node"] = math.inf
    checks = judge(evidence)
    found = parse_json(json.dumps(summary(evidence, checks), allow_nan=False))
    assert not found["ok"]
    assert [check["text"] for check in found["checks"]] == [check.text for check in checks]
    assert found["runs"]["nodes"]["losses"][1] is found["differences"]["node"] is None
    assert found["machines"][1]["cards"][3]["name"] == "A100"
    assert found["ends"]["interrupted"] == [42, 20.0]
    assert {"versions", "commit", "plan"} < set(found)
    assert not summary(None, checks)["ok"]
    assert summary(None, [])["ok"]
