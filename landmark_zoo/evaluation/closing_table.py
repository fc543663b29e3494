"""The few lines that a quickstart ends with."""

from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.core.files import read_json


def closing_table(folders: Sequence[str | Path]) -> str:
    """Returns mAP@100 with its interval, P@1 and P@10 of some results, one line each, in per cent.

    Args:
        folders: Written by `experiments.evaluate` for GLDv2 retrieval.
    """
    lines = [f"{'':<22}{'mAP@100':>9}{'95 % interval':>18}{'P@1':>8}{'P@10':>8}"]
    for folder in folders:
        facts = read_json(Path(folder) / "metrics.json")
        mean, first, ten = (facts["metrics"][key] for key in ("mAP@100", "P@1", "P@10"))
        interval = f"[{100 * mean['low']:.1f}, {100 * mean['high']:.1f}]"
        lines.append(f"{facts['name']:<22}{100 * mean['value']:>9.1f}{interval:>18}{100 * first['value']:>8.1f}"
                     f"{100 * ten['value']:>8.1f}")
    return "\n".join(lines)
