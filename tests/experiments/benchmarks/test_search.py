import csv

import pytest

from experiments.benchmarks.search import COLUMNS, measure_search


@pytest.mark.slow
def test_a_table_of_every_kind(tmp_path):
    table = measure_search(str(tmp_path / "search.csv"), sizes=(2000,), dimension=32, queries=10)
    with open(tmp_path / "search.csv", encoding="utf-8") as file:
        rows = {row["kind"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["flat", "ivfpq", "hnsw", "sq", "milvus"]
    assert all(f"| 2000 | {kind} |" in table for kind in rows)
    assert rows["flat"]["recall_at_100"] == rows["milvus"]["recall_at_100"] == "1.000"
    assert float(rows["hnsw"]["recall_at_10"]) > 0.9
    assert all(float(row[column]) >= 0 for row in rows.values() for column in COLUMNS[2:])
    assert [path.name for path in tmp_path.iterdir()] == ["search.csv"]


def test_too_slow_is_a_row_and_rows_are_kept(tmp_path):
    output = str(tmp_path / "search.csv")
    first = measure_search(output, sizes=(300,), dimension=8, kinds=["flat"], queries=2, limit_seconds=0.01)
    assert first.splitlines()[-1] == "| 300 | flat | - | - | - | - | - | > 0 |"
    assert measure_search(output, sizes=(300,), dimension=8, kinds=["flat"], queries=2) == first
