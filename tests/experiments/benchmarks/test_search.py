import csv

import numpy as np
import pytest

from experiments.benchmarks.search import COLUMNS, landmark_vectors, measure_evaluation, measure_search


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


def test_counting_equals_sorting():
    found = measure_evaluation(images=3000, queries=4, dimension=16)
    assert found["largest_difference"] == pytest.approx(0, abs=1e-12)
    assert set(found) == {f"{way}_{what}" for way in ("product", "counting", "sorting") for what in ("seconds", "mib")} | {
        "largest_difference"}
    assert all(value > 0 for name, value in found.items() if name != "largest_difference")


def test_unit_vectors_in_clusters():
    one = landmark_vectors(500, 512, landmarks=1, seed=0)
    many = landmark_vectors(500, 512, landmarks=10**4, seed=0)
    assert one.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    others = ~np.eye(500, dtype=bool)
    assert abs((one @ one.T)[others].mean() - 0.67) < 0.03
    assert abs((many @ many.T)[others].mean()) < 0.03
    assert 0.1 < (many @ many.T)[others].std() < 0.25


def test_seeds_share_their_landmarks():
    index, queries = (landmark_vectors(2000, 64, landmarks=20, seed=seed) for seed in (0, 1))
    assert not np.array_equal(index, queries)
    assert ((queries @ index.T).max(axis=1) > 0.5).all()
    np.testing.assert_array_equal(index, landmark_vectors(2000, 64, landmarks=20, seed=0))
