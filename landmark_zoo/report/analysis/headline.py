"""The paragraph and the numbers at the top of the page."""

from html import escape

import numpy as np

from landmark_zoo.data.analysis.colour import is_grey
from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.noise import CLEAR
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.table import Html


def headline(findings: Findings) -> Html:
    """Returns what a person in a hurry should know: how much there is, what is wrong with it, what to do about it."""
    collection, counts = findings.collection, findings.balance.counts
    readable = collection.readable[:collection.data_size]
    table = collection.table[:collection.data_size][readable]
    grey = int(is_grey(table["strongest_colour"]).sum())
    between, within = _pairs(findings)
    text = (f"{counted(len(readable), 'photograph').capitalize()} of {counted(len(counts), 'landmark')} from "
            f"{', '.join(findings.source)}. {_unreadable(int((~readable).sum()), len(readable))}")
    if len(collection.parts) > collection.data_parts:
        have = "has" if between == 1 else "have"
        text += (f" {counted(between, 'photograph').capitalize()} {have} a near-duplicate among the benchmark's photographs"
                 f"{'; none should be trained on' if between else ''}.")
    tiles = [(f"{len(readable):,}", f"photographs of {counted(len(counts), 'landmark')}"),
             (share(grey, len(table)), "are grey"),
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
