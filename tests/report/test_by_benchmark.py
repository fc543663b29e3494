from landmark_zoo.report.by_benchmark import by_benchmark


def test_groups_keep_the_order(make_result):
    results = [make_result("a"), make_result("b", benchmark="x"), make_result("c"), make_result("d", protocol="y")]
    assert [[result.name for result in group] for group in by_benchmark(results)] == [["a", "c"], ["b"], ["d"]]
    assert by_benchmark([]) == []
