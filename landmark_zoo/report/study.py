"""Table and figure of a study: blocks compared over several seeds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write, read_json, write_csv
from landmark_zoo.evaluation.comparison import Comparison, signed
from landmark_zoo.evaluation.results import Results
from landmark_zoo.metrics.bootstrap import bootstrap_interval
from landmark_zoo.report.charts import INK, LINE, MUTED, SERIES

DONE = "study.json"
BASELINE = "baseline"
FROZEN, END_TO_END, OFF_THE_SHELF = "frozen", "end_to_end", "off_the_shelf"


@dataclass(frozen=True)
class StudyRun:
    """A finished run of `experiments.study`.

    Attributes:
        method: Method of training: "frozen", "end_to_end" or "off_the_shelf".
        block: The attention block, "baseline" for none.
        seed: Seed of the run.
        result: Results after training.
        before: The main metric before training; None where it was not measured.
        costs: "parameters", "block_parameters", "block_macs", "block_milliseconds", "training_seconds".
    """

    method: str
    block: str
    seed: int
    result: Results
    before: float | None
    costs: dict[str, float]


COSTS = ("parameters", "block_parameters", "block_macs", "block_milliseconds", "training_seconds")


def read_study_run(folder: str | Path) -> StudyRun:
    """Reads a finished run.

    Raises:
        UserError: The run is not finished, or a file is broken.
    """
    folder = Path(folder)
    facts = read_json(folder / DONE, dict)
    initial = folder / "results" / "initial"
    result = Results.read(folder / "results" / "trained")
    try:
        return StudyRun(str(facts["method"]), str(facts["block"]), int(facts["seed"]), result,
                        Results.read(initial).main.value if initial.exists() else None,
                        {key: float(facts[key]) for key in COSTS})
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"the facts of a run in {folder / DONE}", f"{type(error).__name__}: {error}",
                        "Remove that folder and start the study again.") from error


@dataclass(frozen=True)
class StudyRow:
    """A block, trained by one method with several seeds; figures are fractions.

    Attributes:
        method: "frozen", "end_to_end" or "off_the_shelf".
        block: The attention block, "baseline" for none.
        values: Mean average precision by seed.
        low: Lower end of the 95 % interval over queries, of the mean over seeds.
        high: Upper end of it.
        before: Mean over seeds before training; None where it was not measured.
        difference: To the baseline of the same method (of "off_the_shelf": of "frozen"), with an interval over queries and
            seeds; None for the baseline itself and where there is none.
        costs: Means over seeds of `StudyRun.costs`.
    """

    method: str
    block: str
    values: dict[int, float]
    low: float
    high: float
    before: float | None
    difference: Comparison | None
    costs: dict[str, float]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values.values())

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the seeds (n - 1); None for one seed."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None

    @property
    def label(self) -> str:
        """Name in tables and figures."""
        return "off the shelf + PCA" if self.method == OFF_THE_SHELF else self.block


def study_rows(runs: Sequence[StudyRun]) -> list[StudyRow]:
    """Returns one row for each method and block, in the order of the runs.

    Raises:
        UserError: Runs that were not measured on the same queries by the same protocol.
    """
    first = runs[0].result
    queries = sorted(first.average_precision)
    for run in runs:
        if not run.result.comparable(first) or sorted(run.result.average_precision) != queries:
            raise UserError(f"all runs of a study on {first.card.benchmark} with {len(queries)} queries",
                            f"{run.result.card.benchmark} with {len(run.result.average_precision)}",
                            "Remove the runs of another benchmark.")
    groups: dict[tuple[str, str], dict[int, StudyRun]] = {}
    for run in runs:
        groups.setdefault((run.method, run.block), {})[run.seed] = run
    return [_row(method, block, group, groups, queries) for (method, block), group in groups.items()]


def _row(method: str, block: str, group: dict[int, StudyRun], groups: dict, queries: list[str]) -> StudyRow:
    figures = {seed: _figures(run, queries) for seed, run in group.items()}
    _, low, high = bootstrap_interval(np.mean(list(figures.values()), axis=0))
    baseline = groups.get((FROZEN if method == OFF_THE_SHELF else method, BASELINE))
    before = [run.before for run in group.values() if run.before is not None]
    return StudyRow(method, block, {seed: float(values.mean()) for seed, values in figures.items()}, low, high,
                    statistics.fmean(before) if before else None,
                    _comparison(figures, baseline, queries) if baseline and baseline is not group else None,
                    {key: statistics.fmean(run.costs[key] for run in group.values()) for key in COSTS})


def _comparison(figures: dict[int, np.ndarray], baseline: dict[int, StudyRun], queries: list[str]) -> Comparison | None:
    """Pairs runs of the same seed, since they share order, views and start; what has one run only meets every seed."""
    if len(figures) == 1 and len(baseline) > 1:
        figures = dict.fromkeys(baseline, next(iter(figures.values())))
    shared = sorted(figures.keys() & baseline.keys())
    if not shared:
        return None
    before, after = (np.array(rows) for rows in zip(*((_figures(baseline[seed], queries), figures[seed]) for seed in shared),
                                                    strict=True))
    return Comparison.of_runs(next(iter(baseline.values())).result.main_metric, queries, before, after)


def _figures(run: StudyRun, queries: list[str]) -> np.ndarray:
    return np.array([run.result.average_precision[query] for query in queries])


_HEADER = ("Block", "Seeds", "mAP@100", "± over seeds", "95 % interval", "Before training", "Against baseline",
           "95 % interval", "Parameters", "Of the block", "MACs of the block", "Block, ms/picture", "Training, s")
_METHODS = {OFF_THE_SHELF: "Without training", FROZEN: "Backbone frozen, cached feature maps",
            END_TO_END: "Backbone trained too"}
_NOTE = ("The first interval is over queries, of the mean over seeds; that of a difference is over queries and seeds. "
         "Parameters are without the head; multiply-accumulates (MACs) and time of a block are for one feature map of a "
         "training picture.")


def study_table(rows: Sequence[StudyRow]) -> str:
    """Returns a Markdown table for each method, and a sentence on what came out; figures in per cent."""
    parts = []
    for method, title in _METHODS.items():
        chosen = [row for row in rows if row.method == method]
        if chosen:
            lines = [_line(_HEADER), _line(["---"] + ["---:"] * (len(_HEADER) - 1)), *(_line(_cells(row)) for row in chosen)]
            outcome = _outcome(chosen) if method != OFF_THE_SHELF else ""
            parts.append("\n".join([f"**{title}**", "", *lines, *(["", outcome] if outcome else [])]))
    return "\n\n".join([*parts, _NOTE]) + "\n"


def _cells(row: StudyRow) -> list[str]:
    difference = row.difference
    return [row.label, str(len(row.values)), f"{100 * row.mean:.1f}",
            "–" if row.deviation is None else f"{100 * row.deviation:.1f}", f"{100 * row.low:.1f}–{100 * row.high:.1f}",
            "–" if row.before is None else f"{100 * row.before:.1f}", signed(difference.value) if difference else "–",
            f"{signed(difference.low)} to {signed(difference.high)}" if difference else "–",
            f"{row.costs['parameters']:,.0f}", f"{row.costs['block_parameters']:,.0f}", f"{row.costs['block_macs']:,.0f}",
            f"{row.costs['block_milliseconds']:.2f}", f"{row.costs['training_seconds']:.0f}"]


def _outcome(rows: list[StudyRow]) -> str:
    compared = [row for row in rows if row.difference]
    if not compared:
        return ""
    found = {"better than the baseline": [row.label for row in compared if row.difference.low > 0],
             "worse": [row.label for row in compared if row.difference.high < 0],
             "no clear difference": [row.label for row in compared if not row.difference.clear]}
    return "; ".join(f"{what}: {', '.join(names) or 'none'}" for what, names in found.items()).capitalize() + "."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_STYLE = {"font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": LINE, "xtick.color": MUTED,
          "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
          "figure.constrained_layout.use": True, "legend.frameon": False}
_LOOKS = {FROZEN: ("backbone frozen", SERIES[0], "o", -0.14), END_TO_END: ("backbone trained too", SERIES[1], "D", 0.14)}


def study_figure(rows: Sequence[StudyRow], path: str | Path) -> None:
    """Draws the blocks of a study, one line each, and writes a PNG.

    Left: the mean over seeds (large mark), the seeds (small marks) and the 95 % interval over queries, with a line at the
    baseline of each method and one at the backbone without training. Right: the difference to the baseline with its interval
    over queries and seeds. Methods differ by colour and shape of the mark.

    Args:
        rows: Rows of the table; see `study_rows`.
        path: File of the PNG.
    """
    drawn = [row for row in rows if row.method in _LOOKS]
    blocks = list(dict.fromkeys(row.block for row in drawn))
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 1.6 + 0.42 * len(blocks)))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        for row in drawn:
            _draw(left, right, row, blocks.index(row.block))
        _references(left, right, rows)
        _finish(left, right, blocks)
        figure.legend(*_unique(left), loc="outside upper left", ncols=4)
        with atomic_write(path, "wb") as file:
            figure.savefig(file, format="png", dpi=160)


def _draw(left: Axes, right: Axes, row: StudyRow, place: int) -> None:
    label, color, marker, shift = _LOOKS[row.method]
    y = place + shift
    left.hlines(y, 100 * row.low, 100 * row.high, color=color, linewidth=1.4)
    left.plot([100 * value for value in row.values.values()], [y] * len(row.values), marker, color=color, markersize=4,
              markerfacecolor="white", linestyle="none", zorder=3)
    left.plot(100 * row.mean, y, marker, color=color, markersize=8, linestyle="none", label=label)
    if row.difference:
        right.hlines(y, 100 * row.difference.low, 100 * row.difference.high, color=color, linewidth=1.4)
        right.plot(100 * row.difference.value, y, marker, color=color, markersize=8)


def _references(left: Axes, right: Axes, rows: Sequence[StudyRow]) -> None:
    for row in rows:
        if row.method == OFF_THE_SHELF:
            left.axvline(100 * row.mean, color=MUTED, linestyle=":", label=row.label)
        elif row.block == BASELINE:
            left.axvline(100 * row.mean, color=_LOOKS[row.method][1], linestyle="--", linewidth=1)
    left.plot([], [], color=INK, linestyle="--", linewidth=1, label="baseline of the same method")
    right.axvline(0, color=INK, linestyle="--", linewidth=1)


def _finish(left: Axes, right: Axes, blocks: list[str]) -> None:
    left.set_yticks(range(len(blocks)), blocks)
    left.set_ylim(len(blocks) - 0.5, -0.5)
    left.set_xlabel("mAP@100 (%): mean, seeds, 95 % interval over queries")
    right.set_xlabel("points against baseline, 95 % interval\nover queries and seeds")
    for axes in (left, right):
        axes.grid(axis="x", color=LINE, linewidth=0.7)
        axes.tick_params(left=False)
        axes.set_axisbelow(True)


def _unique(axes: Axes) -> tuple[list, list]:
    found = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    return list(found.values()), list(found)


_COLUMNS = ("method", "block", "seeds", "mean", "standard_deviation", "low", "high", "before", "difference",
            "difference_low", "difference_high", *COSTS)


def write_study(output: str | Path, folders: Sequence[str | Path]) -> list[StudyRow]:
    """Writes `summary.csv` (fractions), `table.md` (per cent) and `figure.png`.

    Args:
        output: Folder of the files.
        folders: Folders of finished runs; see `read_study_run`.
    """
    output = Path(output)
    rows = study_rows([read_study_run(folder) for folder in folders])
    write_csv(output / "summary.csv", _COLUMNS, (_summary_row(row) for row in rows))
    with atomic_write(output / "table.md") as file:
        file.write(study_table(rows))
    study_figure(rows, output / "figure.png")
    return rows


def _summary_row(row: StudyRow) -> list[str]:
    difference = row.difference
    figures = (row.mean, row.deviation, row.low, row.high, row.before, difference and difference.value,
               difference and difference.low, difference and difference.high)
    return [row.method, row.block, str(len(row.values)), *("" if value is None else f"{value:.6f}" for value in figures),
            *(f"{row.costs[key]:.10g}" for key in COSTS)]
