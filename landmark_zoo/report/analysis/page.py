"""The page on what a collection of photographs is like."""

from html import escape
from pathlib import Path

import numpy as np

from landmark_zoo.core.files import atomic_write
from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.report.analysis.colours import colours
from landmark_zoo.report.analysis.duplicates import duplicates
from landmark_zoo.report.analysis.examples import examples
from landmark_zoo.report.analysis.headline import headline
from landmark_zoo.report.analysis.landmarks import landmarks
from landmark_zoo.report.analysis.noise import noise
from landmark_zoo.report.analysis.parts import parts
from landmark_zoo.report.analysis.sizes import sizes
from landmark_zoo.report.analysis.when_and_where import when_and_where
from landmark_zoo.report.document import document


def write_analysis_page(output: str | Path, findings: Findings, seed: int = 0) -> Path:
    """Writes `index.html`, one file that needs nothing else.

    Args:
        output: Folder of the page.
        findings: What it shows.
        seed: Of the photographs that are drawn at random.
    """
    collection = findings.collection
    table = collection.table[:collection.data_size]
    table = table[table["readable"]]
    random = np.random.default_rng(seed)
    sections = [
        ("landmarks", "Photographs per landmark", landmarks(findings.balance)),
        ("noise", "Label noise", noise(findings)),
        ("duplicates", "Near-duplicates", duplicates(findings)),
        ("colours", "Without colour", colours(findings, random)),
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
