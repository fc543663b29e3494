import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark, validation_split
from landmark_zoo.evaluation.rankings import rank_embeddings
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

FILES = {
    "test.csv": "id\nq1\nq2\nq3\nq4\n",
    "index.csv": "id\na\nb\nc\n",
    "retrieval_solution.csv": "id,images,Usage\nq2,a b,Private\nq1,c,Public\nq3,None,Ignored\nq4,a,Ignored\n",
}


@pytest.fixture
def write(tmp_path):
    def write_files(**changed):
        folder = tmp_path / "bench"
        folder.mkdir()
        for name, text in {**FILES, **changed}.items():
            if text is not None:
                (folder / name).write_text(text)
        return folder
    return write_files


def test_ignored_queries_do_not_count(write):
    folder = write()
    benchmark = Gldv2Benchmark.read(folder)
    assert benchmark.name == "bench"
    assert benchmark.query_ids == ("q1", "q2")
    assert benchmark.index_ids == ("a", "b", "c")
    assert benchmark.positives == {"q1": {"c"}, "q2": {"a", "b"}}
    assert benchmark.usage == {"q1": "Public", "q2": "Private"}
    assert benchmark.queries_ignored == 2
    assert benchmark.ground_truth_sha256 == sha256(folder / "retrieval_solution.csv")


def test_names_of_the_release_are_found(write):
    text = FILES["retrieval_solution.csv"]
    assert Gldv2Benchmark.read(write(**{"retrieval_solution.csv": None, "retrieval_solution_v2.1.csv": text})).positives


def test_usage_may_be_absent(write):
    benchmark = Gldv2Benchmark.read(write(**{"retrieval_solution.csv": "id,images\nq1,a\nq2,None\n"}))
    assert benchmark.usage == {"q1": ""}
    assert benchmark.queries_ignored == 3


def test_a_query_that_is_an_index_image_is_left_out_of_its_own_ranking(write):
    benchmark = Gldv2Benchmark.read(write(**{
        "index.csv": "id\nq1\na\nb\n", "retrieval_solution.csv": "id,images\nq1,q1 a\nq2,b\n"}))
    assert benchmark.positives == {"q1": {"a"}, "q2": {"b"}}
    assert benchmark.labelled_ids("q1") == {"q1", "a"}
    assert benchmark.relevance("q1", "q1") == "junk"
    assert benchmark.relevance("q2", "q1") == "negative"
    assert "the query itself" in benchmark.card_fields()["junk"]
    queries = EmbeddingSet(["q1", "q2"], np.eye(2, 3, dtype=np.float32), "f", {})
    index = EmbeddingSet(["q1", "a", "b"], np.array([[1, 0, 0], [0.8, 0, 0.6], [0, 1, 0]], np.float32), "f", {})
    metrics = measured_gldv2(benchmark, queries, index, "own").metrics
    assert metrics["P@1"].value == metrics["mAP@100"].value == 1


@pytest.mark.parametrize(("changed", "message"), [
    ({"index.csv": None}, r"index\.csv or index_v2\.1\.csv"),
    ({"index.csv": "name\na\n"}, "column id"),
    ({"index.csv": "id\na\nb\n"}, "positives of query q1 .* received c"),
    ({"index.csv": "id\na\na\nb\nc\n"}, "each id once"),
    ({"index.csv": "id\na\nb\n../c\n"}, "lie below its folder; received '../c'"),
    ({"test.csv": "id\nq1\nq2\n/etc/q3\n"}, "lie below its folder; received '/etc/q3'"),
    ({"test.csv": "id\nq1\n"}, "list of queries; received q2"),
    ({"retrieval_solution.csv": "id,Usage\nq1,Public\n"}, "column images"),
    ({"retrieval_solution.csv": "id,images\nq1,a\nq1,b\n"}, "q1 twice"),
    ({"retrieval_solution.csv": "id,images\nq1,None\n"}, "a query with positives"),
])
def test_faults_are_named(write, changed, message):
    with pytest.raises(UserError, match=message):
        Gldv2Benchmark.read(write(**changed))


def test_more_positives_than_a_csv_cell_usually_holds(write):
    ids = [f"{number:016x}" for number in range(12_000)]
    benchmark = Gldv2Benchmark.read(write(**{
        "index.csv": "id\n" + "\n".join(ids) + "\n",
        "retrieval_solution.csv": f"id,images,Usage\nq1,{' '.join(ids)},Public\n"}))
    assert len(benchmark.positives["q1"]) == 12_000


@pytest.mark.photographs
def test_the_provence_benchmark(shared_data):
    benchmark = Gldv2Benchmark.read(shared_data / "benchmarks" / "provence")
    assert (len(benchmark.query_ids), len(benchmark.index_ids), benchmark.queries_ignored) == (78, 749, 0)
    assert sorted(benchmark.usage.values()) == ["Private"] * 39 + ["Public"] * 39


INDEX = tuple(f"i{number}" for number in range(150))
POSITIVES = {"q1": frozenset({"i0", "i2", "i120"}), "q2": frozenset({"i1"}), "q3": frozenset(INDEX[:120])}
USAGE = {"q1": "Public", "q2": "Private", "q3": "Public"}
BENCHMARK = Gldv2Benchmark("toy", ("q1", "q2", "q3"), INDEX, POSITIVES, USAGE, 4, "1234")
FALLING = np.tile(np.linspace(0.9, 0.1, len(INDEX)), [3, 1])


def measured_gldv2(benchmark, queries, index, name):
    return benchmark.evaluate(rank_embeddings(benchmark, queries, index), name)


def naive(ranking, positives):
    hits, total = 0, 0.0
    for place, image in enumerate(ranking[:100], start=1):
        if image in positives:
            hits += 1
            total += hits / place
    return total / min(len(positives), 100)


def test_planted_ranking(planted):
    results = measured_gldv2(BENCHMARK, *planted(BENCHMARK.query_ids, INDEX, FALLING), name="toy model")
    expected = [(1 + 2 / 3) / 3, 1 / 2, 1.0]
    assert [row["average_precision"] for row in results.per_query] == pytest.approx(expected)
    assert [row["positives"] for row in results.per_query] == [3, 1, 120]
    values = {name: metric.value for name, metric in results.metrics.items()}
    assert values["mAP@100"] == pytest.approx(np.mean(expected))
    assert values["mAP@100/Public"] == pytest.approx((expected[0] + expected[2]) / 2)
    assert values["mAP@100/Private"] == pytest.approx(expected[1])
    assert values["P@1"] == pytest.approx(2 / 3)
    hits = [sum(image in POSITIVES[query] for image in INDEX[:10]) for query in ("q1", "q2", "q3")]
    assert values["P@10"] == pytest.approx(np.mean(hits) / 10), "the official metric divides by 10"
    assert values["cP@10"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert list(results.metrics)[:4] == ["mAP@100", "P@1", "P@10", "cP@10"]
    assert (results.card.queries_used, results.card.queries_ignored, results.card.index_images) == (3, 4, 150)


def test_ranking_rows(planted):
    results = measured_gldv2(BENCHMARK, *planted(BENCHMARK.query_ids, INDEX, FALLING), name="toy model")
    assert [len(images) for images in results.ranking.values()] == [100] * 3
    first, second = results.ranking["q1"][:2]
    assert (first.index_id, first.rank, first.relevance) == ("i0", 1, "positive")
    assert (second.index_id, second.rank, second.relevance) == ("i1", 2, "negative")
    assert first.score > second.score


def test_random_rankings_equal_the_official_loop(planted):
    scores = np.random.default_rng(0).uniform(0, 1, FALLING.shape)
    results = measured_gldv2(BENCHMARK, *planted(BENCHMARK.query_ids, INDEX, scores), name="toy model")
    for row, query_scores in zip(results.per_query, scores, strict=True):
        ranking = [INDEX[place] for place in np.argsort(-query_scores)]
        assert row["average_precision"] == pytest.approx(naive(ranking, POSITIVES[row["query_id"]]))


def test_missing_images_are_misses(planted):
    queries, index = planted(BENCHMARK.query_ids, INDEX, FALLING)
    results = measured_gldv2(BENCHMARK, queries.select(["q1", "q3"]), index.select(INDEX[2:]), name="toy model")
    assert [row["average_precision"] for row in results.per_query][:2] == pytest.approx([1 / 3, 0.0])
    assert (results.card.queries_missing, results.card.index_images_missing) == (1, 2)
    assert results.metrics["mAP@100"].queries == 3


def test_order_of_the_embeddings_does_not_matter_not_even_for_ties(planted):
    queries, index = planted(BENCHMARK.query_ids, INDEX, np.full_like(FALLING, 0.5))
    turned = index.select(INDEX[::-1])
    assert measured_gldv2(BENCHMARK, queries, index, "m").per_query == (
        measured_gldv2(BENCHMARK, queries, turned, "m").per_query)


def test_no_usage_no_parts(planted):
    benchmark = Gldv2Benchmark("toy", ("q1",), INDEX, {"q1": POSITIVES["q1"]}, {"q1": ""}, 0, "1234")
    results = measured_gldv2(benchmark, *planted(["q1"], INDEX, FALLING[:1]), name="m")
    assert list(results.metrics) == ["mAP@100", "P@1", "P@10", "cP@10"]


def test_unlike_models_are_refused(planted):
    queries, _ = planted(BENCHMARK.query_ids, INDEX, FALLING)
    _, index = planted(["q1"], INDEX, FALLING[:1])
    with pytest.raises(UserError, match="dimension"):
        measured_gldv2(BENCHMARK, queries, index, "m")


CATALOG = ImageList(tuple(ImageEntry(f"{landmark}{n}", f"{n}.jpg", landmark) for landmark in "abcd" for n in range(10)),
                      "test")
OF_TWO_LANDMARKS = Gldv2Benchmark("b", ("a0",), ("a1", "b3"), {"a0": frozenset({"a1"})}, {"a0": ""}, 0, "x")


def test_no_landmark_of_the_benchmark_and_no_image_twice():
    validation, others = validation_split(CATALOG, OF_TWO_LANDMARKS, 5, 10, 5)
    used = [*validation.query_ids, *validation.index_ids, *others]
    assert {image_id[0] for image_id in used} == {"c", "d"}
    assert len(set(used)) == len(used)
    assert (len(validation.index_ids), len(others)) == (10, 5)
    assert len(validation.query_ids) + validation.queries_ignored == 5


def test_positives_are_the_index_images_of_the_landmark():
    validation, _ = validation_split(CATALOG, OF_TWO_LANDMARKS, 5, 10, 5)
    for query in validation.query_ids:
        assert validation.positives[query] == {image for image in validation.index_ids if image[0] == query[0]}


def test_the_seed_settles_the_draw():
    first, again, other = (validation_split(CATALOG, OF_TWO_LANDMARKS, 5, 10, 5, seed) for seed in (0, 0, 1))
    assert first == again
    assert first[1] != other[1]


def test_too_few():
    with pytest.raises(UserError, match="30 photographs of landmarks outside the benchmark; received 20"):
        validation_split(CATALOG, OF_TWO_LANDMARKS, 10, 10, 10)
    single = ImageList((ImageEntry("c0", "p", "c"), ImageEntry("d0", "p", "d"), ImageEntry("a0", "p", "a")), "test")
    with pytest.raises(UserError, match="a validation query with an index image"):
        validation_split(single, OF_TWO_LANDMARKS, 1, 1, 0)
