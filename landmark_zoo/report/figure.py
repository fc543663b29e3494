"""Figures of a page: one restrained style, drawn as SVG whose colours follow light and dark."""

import io
import re
from html import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from landmark_zoo.report.table import Html

INK, MUTED, LINE = "#1a1b1c", "#6a6b6c", "#dadbdc"
SERIES = ("#2f5fd0", "#c2570c", "#0f766e", "#8b3fb0", "#6a6b6d")
_VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line",
              **{colour: f"--series-{number}" for number, colour in enumerate(SERIES)}}
_STYLE = {
    "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.labelsize": 9,
    "text.color": INK, "axes.labelcolor": MUTED, "axes.titlecolor": INK, "axes.edgecolor": LINE, "xtick.color": LINE,
    "ytick.color": LINE, "xtick.labelcolor": MUTED, "ytick.labelcolor": MUTED, "grid.color": LINE,
    "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8.5,
    "lines.linewidth": 1.8, "figure.constrained_layout.use": True, "text.parse_math": False, "svg.fonttype": "none",
    "axes.formatter.useoffset": False, "axes.facecolor": "none", "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


class Chart:
    """A figure with one pair of axes.

        with Chart("loss", "Loss", "optimiser step", "cross-entropy") as chart:
            chart.axes.plot(steps, losses, color=SERIES[0])
        page += chart.html("Loss falls from 9 to 2.")

    Args:
        name: Unique in the page.
        title: Above the axes.
        x: What the horizontal axis shows, with its unit.
        y: The same of the vertical axis.
        height: Inches; the width is 4.7.
    """

    def __init__(self, name: str, title: str, x: str, y: str, height: float = 2.9):
        self._name, self._labels, self._height = name, {"title": title, "xlabel": x, "ylabel": y}, height
        self._style = matplotlib.rc_context({**_STYLE, "svg.hashsalt": name})

    def __enter__(self) -> "Chart":
        self._style.__enter__()
        self._figure = Figure(figsize=(4.7, self._height))
        self.axes: Axes = self._figure.add_subplot()
        self.axes.set(**self._labels)
        self.axes.grid(axis="y", linewidth=0.7)
        return self

    def __exit__(self, *error):
        if error[0] is None:
            drawn = io.StringIO()
            self._figure.savefig(drawn, format="svg",
                                 metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
            self._svg = drawn.getvalue()
        self._style.__exit__(*error)

    def html(self, alt: str) -> Html:
        """Returns the drawn chart as a `<figure>`; `alt` is what a person who cannot see it is told."""
        svg = self._svg[self._svg.index("<svg"):]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self._name}-", svg.replace("xlink:href", "href"))
        for colour, variable in _VARIABLES.items():
            svg = svg.replace(colour, f"var({variable})")
        box = re.search(r'viewBox="[^"]*"', svg)[0]
        svg = re.sub(r"<svg[^>]*>", f'<svg {box} role="img" aria-label="{escape(alt)}">', svg, count=1)
        return Html(f'<figure class="chart">{svg}</figure>')
