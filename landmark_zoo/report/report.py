"""Pages on a training run: its retrieval results (`write_report`) and its recognition (`write_recognition_page`)."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.evaluation.results import Results, by_benchmark
from landmark_zoo.report.attention import FLAT, attention_overlays
from landmark_zoo.report.charts import class_histogram, confusion_chart, curves
from landmark_zoo.report.html import Html, Section, Thumbnails, document, facts_table, percent, table
from landmark_zoo.report.rankings import ranking_sections
from landmark_zoo.report.scores import card_table, key_figures, scores, versions_table
from landmark_zoo.report.summary import summary
from landmark_zoo.report.training_run import TrainingRun, read_training_run


def write_report(output: str | Path, results: Sequence[str | Path], *, workdir: str | Path | None = None,
                 records: str | Path | None = None, find_image: Callable[[str], str | Path] | None = None,
                 attention: str | Path | None = None, title: str | None = None, unseen: bool = False) -> Path:
    """Writes `index.html`; sections without an input are left out.

    Args:
        output: Folder of the page.
        results: Folders of evaluations, from the starting point to the system that the page is about.
        workdir: Folder of the training run.
        records: Folder of `experiments.prepare`.
        find_image: Image id to path, a `UserError` where there is none; without it no rankings are drawn.
        attention: Folder of `attention.attention_overlays`.
        title: Title of the page.
        unseen: Whether no landmark of the benchmark was trained on; the summary then says so.

    Returns:
        The path of the page, which is below 8 MB.

    Raises:
        UserError: An input is missing or broken.
    """
    if not results:
        raise UserError("at least one folder of results", "none", "Run experiments.evaluate and name its output.")
    systems = [Results.read(directory) for directory in results]
    run = read_training_run(workdir) if workdir else None
    manifest = read_manifest(Path(records) / "train") if records else None
    title = title or f"{run.model if run and run.model else systems[-1].name} on {systems[-1].card.benchmark}"
    sections = [
        ("scores", "Scores", scores(systems)),
        *(_rankings(systems, Thumbnails(find_image)) if find_image else []),
        ("training", "Training", _training(run) if run else ""),
        ("landmarks", "Training photographs", _pairs(class_histogram(manifest)) if manifest else ""),
        ("attention", "Attention", _attention(attention) if attention else ""),
        ("protocol", "Protocol", _protocol(systems)),
        ("flags", "Flags", facts_table("Flag", run.flags) if run and run.flags else ""),
        ("versions", "Versions", versions_table(systems, versions())),
    ]
    path = Path(output) / "index.html"
    with atomic_write(path) as file:
        header = _header(title, systems, run, manifest, unseen)
        file.write(document(title, header, [section for section in sections if section[2]]))
    return path


def _header(title: str, systems: list[Results], run: TrainingRun | None, manifest: Manifest | None, unseen: bool) -> str:
    text = escape(summary(systems, run, manifest, unseen)).replace(" %", "&nbsp;%")
    return f'<header><h1>{escape(title)}</h1><p class="lead">{text}</p>{key_figures(systems)}</header>'


def _rankings(systems: list[Results], thumbnails: Thumbnails) -> list[Section]:
    sections = ranking_sections(systems, thumbnails)
    if sections and thumbnails.missing:
        count = len(thumbnails.missing)
        note = f'<p class="hint">Gray fields with an id stand for {count} picture{"s" * (count > 1)} not found.</p>'
        anchor, heading, body = sections[0]
        sections[0] = (anchor, heading, Html(note + body))
    return sections


def _training(run: TrainingRun) -> str:
    return _not_trained(run) + _pairs([*curves(run), facts_table("Model", run.facts) if run.facts else ""])


def _not_trained(run: TrainingRun) -> str:
    return f'<p class="hint">Not trained; the export is the start: {escape(run.not_trained)}.</p>' if run.not_trained else ""


def _attention(folder: str | Path) -> str:
    return ('<p class="hint">What the attention blocks multiply with. Colors are on a fixed scale for each kind of map, '
            "from black at its low end to yellow at its high end; below stands the range that the map itself has. A map "
            f"that spans less than {100 * FLAT:.0f} % of its scale tells no place from another: it is called flat. A map of "
            "places and channels at once is shown as its mean over channels. Two maps are no attention: class activation, "
            "how much of the class that wins is seen at each location, and the feature norm, the length of the pooled "
            f"features there.</p>{attention_overlays(folder)}")


def _protocol(systems: list[Results]) -> str:
    hint = "" if len(systems) == 1 else '<p class="hint">Rows marked ≠ differ between the systems.</p>'
    return hint + "".join(card_table(group) for group in by_benchmark(systems))


def _pairs(parts: Iterable[str]) -> str:
    found = [f"<div>{part}</div>" for part in parts if part]
    return f'<div class="pair">{"".join(found)}</div>' if found else ""


def write_recognition_page(output: str | Path, facts: dict, counts: np.ndarray, names: Sequence[str],
                           workdir: str | Path) -> Path:
    """Writes `index.html`: accuracy, confusion, accuracy of each landmark, curves per epoch, flags.

    Args:
        output: Folder of the page.
        facts: "model", "part", "accuracy", "low", "high" and more that shall be listed.
        counts: int [K, K], see `sklearn.metrics.confusion_matrix`.
        names: Names of the K landmarks.
        workdir: Folder of the training run.
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
