"""The page on an image collection."""

from collections import Counter
from html import escape
from pathlib import Path

import numpy as np

from landmark_zoo.core.files import atomic_write, write_csv
from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.data.analysis.measures import is_gray
from landmark_zoo.report.analysis_charts import landmarks, sizes, when_and_where
from landmark_zoo.report.analysis_images import CLEAR, colors, duplicates, examples, noise
from landmark_zoo.report.html import Html, counted, document, share, table


def headline(findings: Findings) -> Html:
    """Returns what a person in a hurry should know: how much there is, what is wrong with it, what to do about it."""
    collection, counts = findings.collection, findings.balance.counts
    readable = collection.readable[:collection.data_size]
    table = collection.table[:collection.data_size][readable]
    gray = int(is_gray(table["strongest_colour"]).sum())
    between, within = _pairs(findings)
    text = (f"{counted(len(readable), 'photograph').capitalize()} of {counted(len(counts), 'landmark')} from "
            f"{', '.join(findings.source)}. {_unreadable(int((~readable).sum()), len(readable))}")
    if len(collection.parts) > collection.data_parts:
        have = "has" if between == 1 else "have"
        text += (f" {counted(between, 'photograph').capitalize()} {have} a near-duplicate among the benchmark's photographs"
                 f"{'; none should be trained on' if between else ''}.")
    tiles = [(f"{len(readable):,}", f"photographs of {counted(len(counts), 'landmark')}"),
             (share(gray, len(table)), "are grey"),
             (f"{within:,}", "have a near-duplicate in their part")]
    if len(collection.parts) > collection.data_parts:
        tiles.append((f"{between:,}", "are in the benchmark too"))
    if findings.judged:
        disputed = int((findings.judged.noise.disagreement >= CLEAR).sum())
        tiles.append((f"{disputed:,}", "look more like another landmark"))
    boxes = "".join(f"<div><strong>{escape(number)}</strong><span>{escape(what)}</span></div>" for number, what in tiles)
    return Html(f'<p class="lead">{escape(text)}</p><div class="tiles">{boxes}</div>')


def _unreadable(bad: int, total: int) -> str:
    if not bad:
        return "All can be read."
    return f"{counted(bad, 'photograph').capitalize()} ({share(bad, total)}) cannot be read and count no further."


def _pairs(findings: Findings) -> tuple[int, int]:
    """Returns how many photographs of the data have a near-duplicate in the benchmark, and how many in their own part."""
    collection, pairs = findings.collection, findings.pairs
    size = collection.data_size
    hashes = collection.table["hash"]
    shared = hashes[pairs.first[(pairs.first < size) & (pairs.second >= size)]]
    between = np.isin(hashes[:size], shared) & collection.readable[:size]
    same = (collection.part_of[pairs.first] == collection.part_of[pairs.second]) & (pairs.second < size)
    return int(between.sum()), len(np.unique([pairs.first[same], pairs.second[same]]))


SHOWN = 10


def parts(collection: Collection) -> Html:
    """Returns a small table of the parts, and the unreadable photographs by reason."""
    rows = []
    for part in collection.parts:
        good = part.table[part.table["readable"]]
        gray = int(is_gray(good["strongest_colour"]).sum())
        rows.append((part.images.name, f"{len(part.table):,}", f"{len({*part.images.landmarks} - {''}):,}",
                     f"{len(part.images.missing):,}", f"{len(part.faults):,}", share(gray, len(good)),
                     f"{np.median(np.maximum(good['height'], good['width'])):,.0f}" if len(good) else "–"))
    header = ("Part", "Photographs", "Landmarks", "Without a file", "Unreadable", "Grey", "Longer side, median")
    reasons = Counter(reason for part in collection.parts for reason in part.faults.values())
    listed = table(("Why unreadable", "Photographs"), reasons.most_common(SHOWN)) if reasons else ""
    return Html(table(header, rows) + listed)


def write_analysis_page(output: str | Path, findings: Findings, seed: int = 0) -> Path:
    """Writes `index.html`, one file that needs nothing else.

    Args:
        output: Folder of the page.
        findings: Findings on the collection.
        seed: Seed of the images that are drawn at random.
    """
    collection = findings.collection
    table = collection.table[:collection.data_size]
    table = table[table["readable"]]
    random = np.random.default_rng(seed)
    sections = [
        ("landmarks", "Photographs per landmark", landmarks(findings.balance)),
        ("noise", "Label noise", noise(findings)),
        ("duplicates", "Near-duplicates", duplicates(findings)),
        ("colours", "Without colour", colors(findings, random)),
        ("sizes", "Sizes", sizes(table)),
        ("when", "When and where", when_and_where(table, findings.countries)),
        ("examples", "A look at each landmark", examples(findings, random)),
        ("parts", "Parts", parts(collection)),
    ]
    title = f"What {', '.join(Path(source).resolve().name for source in findings.source)} "
    title += "is like" if len(findings.source) == 1 else "are like"
    path = Path(output) / "index.html"
    with atomic_write(path) as file:
        file.write(document(title, f"<header><h1>{escape(title)}</h1>{headline(findings)}</header>",
                            [section for section in sections if section[2]]))
    return path


def write_lists(output: str | Path, findings: Findings) -> None:
    """Writes `duplicates.csv`, `unreadable.csv` and, where there are embeddings, `noise.csv` with the strangest first.

    Args:
        output: The folder.
        findings: Findings on the collection.
    """
    output, collection, pairs = Path(output), findings.collection, findings.pairs
    write_csv(output / "duplicates.csv", ["part", "id", "landmark", "other_part", "other_id", "other_landmark", "bits"], (
        (*_named(collection, one), *_named(collection, other), bits)
        for one, other, bits in zip(*map(list, pairs), strict=True)))
    write_csv(output / "unreadable.csv", ["part", "id", "reason"], (
        (part.images.name, part.images.ids[number], reason)
        for part in collection.parts for number, reason in part.faults.items()))
    if findings.judged is None:
        return
    judged = findings.judged
    write_csv(output / "noise.csv", ["part", "id", "landmark", "strangeness", "disagreement", "likelier_landmark"], (
        (*_named(collection, judged.numbers[place]), f"{judged.noise.strangeness[place]:.4f}",
         f"{judged.noise.disagreement[place]:.2f}", judged.landmarks[judged.noise.likelier[place]])
        for place in judged.strangest()))


def _named(collection: Collection, number: int) -> tuple[str, str, str]:
    return collection.name(number), collection.id(number), collection.landmark(number)
