"""Rows of the report."""

import math
from types import SimpleNamespace

from experiments.ensembles.ensemble_row import HEADER, EnsembleRow


def row(title, precisions):
    mean = sum(precisions) / len(precisions)
    return EnsembleRow(title, SimpleNamespace(
        metrics={"mAP@100": {"value": mean, "low": mean, "high": mean, "queries": len(precisions)}},
        per_query=[{"query_id": f"q{number}", "average_precision": value} for number, value in enumerate(precisions)]),
        dimension=8, ms=12.34, megabytes=5.0)


def test_differences_are_paired():
    everyone, fewer = row("all", [0.5, 0.9, 0.1]), row("without a", [0.4, 0.8, 0.0])
    cells = dict(zip(HEADER, fewer.cells(everyone), strict=True))
    assert (cells["mAP"], cells["difference_to_all"]) == ("40.00", "-10.00")
    assert (cells["difference_low"], cells["difference_high"]) == ("-10.00", "-10.00")
    assert (cells["ms_per_picture"], cells["megabytes"], cells["dimension"]) == ("12.3", "5.0", 8)
    assert everyone.cells(everyone)[5:8] == ["", "", ""]


def test_queries_without_positives_do_not_count():
    everyone, fewer = row("all", [0.5, 0.9]), row("x alone", [0.4, 0.8])
    for one in (everyone, fewer):
        one.results.per_query.append({"query_id": "empty", "average_precision": math.nan})
    assert fewer.cells(everyone)[5] == "-10.00"
