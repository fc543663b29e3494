"""A page on how well a classifier recognises landmarks."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from landmark_zoo.core.files import atomic_write
from landmark_zoo.report.confusion_chart import confusion_chart
from landmark_zoo.report.curves import curves
from landmark_zoo.report.document import document
from landmark_zoo.report.facts_table import facts_table
from landmark_zoo.report.percent import percent
from landmark_zoo.report.table import table
from landmark_zoo.report.training_run import read_training_run


def write_recognition_page(output: str | Path, facts: dict, counts: np.ndarray, names: Sequence[str],
                           workdir: str | Path) -> Path:
    """Writes `index.html`: accuracy, confusion, accuracy of each landmark, curves per epoch, flags.

    Args:
        output: Folder of the page.
        facts: "model", "part", "accuracy", "low", "high" and more that shall be listed.
        counts: int [K, K], see `metrics.confusion_matrix`.
        names: Of the K landmarks.
        workdir: Of the training run.
    """
    run = read_training_run(workdir)
    title = f"{facts['model']} on {len(names)} landmarks"
    totals = counts.sum(axis=1)
    rows = [(name, int(total), percent(counts[number, number] / total), _taken_for(counts[number], number, names))
            for number, (name, total) in enumerate(zip(names, totals, strict=True)) if total]
    rows.sort(key=lambda row: float(row[2]))
    sections = [
        ("confusion", "Confusion", confusion_chart(counts, names)),
        ("landmarks", "Landmarks, worst first",
         table(("Landmark", "Photographs", "Recognised (%)", "Most often taken for"), rows)),
        ("training", "Training", "".join(curves(run))),
        ("facts", "Facts", facts_table("Fact", facts)),
        ("flags", "Flags", facts_table("Flag", run.flags) if run.flags else ""),
    ]
    lead = (f"{facts['model']} recognises {percent(facts['accuracy'])} % of {int(totals.sum()):,} photographs of the "
            f"{facts['part']} part (95 % interval {percent(facts['low'])} to {percent(facts['high'])}).")
    path = Path(output) / "index.html"
    with atomic_write(path) as file:
        header = f'<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p></header>'
        file.write(document(title, header, [section for section in sections if section[2]]))
    return path


def _taken_for(row: np.ndarray, own: int, names: Sequence[str]) -> str:
    others = row.copy()
    others[own] = 0
    return f"{names[others.argmax()]} ({others.max()})" if others.max() else "-"
