"""The report: one HTML file that needs nothing else."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.report.attention_overlay import attention_overlays
from landmark_zoo.report.by_benchmark import by_benchmark
from landmark_zoo.report.card_table import card_table, versions_table
from landmark_zoo.report.class_histogram import class_histogram
from landmark_zoo.report.curves import curves
from landmark_zoo.report.document import Section, document
from landmark_zoo.report.facts_table import facts_table
from landmark_zoo.report.key_figures import key_figures
from landmark_zoo.report.ranking_sections import ranking_sections
from landmark_zoo.report.result import Result, read_result
from landmark_zoo.report.scores import scores
from landmark_zoo.report.summary import summary
from landmark_zoo.report.table import Html
from landmark_zoo.report.thumbnail import Thumbnails
from landmark_zoo.report.training_run import TrainingRun, read_training_run


def write_report(output: str | Path, results: Sequence[str | Path], *, workdir: str | Path | None = None,
                 records: str | Path | None = None, find_image: Callable[[str], str | Path] | None = None,
                 attention: str | Path | None = None, title: str | None = None, unseen: bool = False) -> Path:
    """Writes `index.html`; sections without an input are left out.

    Args:
        output: Folder of the page.
        results: Folders of evaluations, from the starting point to the system that the page is about.
        workdir: Of the training run.
        records: Folder of `experiments.prepare`.
        find_image: Image id to path, a `UserError` where there is none; without it no rankings are drawn.
        attention: Folder of `attention_overlay.attention_overlays`.
        title: Of the page.
        unseen: Whether no landmark of the benchmark was trained on; the summary then says so.

    Returns:
        The path of the page, which is below 8 MB.

    Raises:
        UserError: An input is missing or broken.
    """
    if not results:
        raise UserError("at least one folder of results", "none", "Run experiments.evaluate and name its output.")
    systems = [read_result(directory) for directory in results]
    run = read_training_run(workdir) if workdir else None
    manifest = read_manifest(Path(records) / "train") if records else None
    title = title or f"{run.model if run and run.model else systems[-1].name} on {systems[-1].benchmark}"
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


def _header(title: str, systems: list[Result], run: TrainingRun | None, manifest: Manifest | None, unseen: bool) -> str:
    text = escape(summary(systems, run, manifest, unseen)).replace(" %", "&nbsp;%")
    return f'<header><h1>{escape(title)}</h1><p class="lead">{text}</p>{key_figures(systems)}</header>'


def _rankings(systems: list[Result], thumbnails: Thumbnails) -> list[Section]:
    sections = ranking_sections(systems, thumbnails)
    if sections and thumbnails.missing:
        count = len(thumbnails.missing)
        note = f'<p class="hint">Gray fields with an id stand for {count} picture{"s" * (count > 1)} not found.</p>'
        anchor, heading, body = sections[0]
        sections[0] = (anchor, heading, Html(note + body))
    return sections


def _training(run: TrainingRun) -> str:
    return _pairs([*curves(run), facts_table("Model", run.facts) if run.facts else ""])


def _attention(folder: str | Path) -> str:
    return ('<p class="hint">Where the network looks: yellow is the largest value of a map, black its smallest; below '
            f"stands the range.</p>{attention_overlays(folder)}")


def _protocol(systems: list[Result]) -> str:
    hint = "" if len(systems) == 1 else '<p class="hint">Rows marked ≠ differ between the systems.</p>'
    return hint + "".join(card_table(group) for group in by_benchmark(systems))


def _pairs(parts: Iterable[str]) -> str:
    found = [f"<div>{part}</div>" for part in parts if part]
    return f'<div class="pair">{"".join(found)}</div>' if found else ""
