from landmark_zoo.report.class_histogram import class_histogram


def test_few_landmarks_are_named_most_first(make_manifest):
    chart, table = class_histogram(make_manifest({"rare_$tower$": 2, "<common>": 9, "x" * 40: 4}))
    assert chart.index("&lt;common&gt;") < chart.index("x" * 27 + "…") < chart.index("rare_$tower$")
    assert "x" * 28 not in chart
    assert "3 landmarks with 2 to 9 photographs each, median 4" in chart
    for name, value in (("Photographs", "15"), ("Landmarks", "3"), ("Most of one landmark", "9"),
                        ("Left out as bad", "3"), ("Source", "&lt;toys&gt;")):
        assert f'<th scope="row">{name}</th><td>{value}</td>' in table


def test_many_landmarks_are_a_curve(make_manifest):
    chart, table = class_histogram(make_manifest({str(number): 1 + 5000 // (number + 1) for number in range(5000)}))
    assert "landmarks, most photographed first" in chart
    assert "5,000 landmarks with 2 to 5,001 photographs each" in chart
    assert len(chart) < 80_000
    assert "<td>5,000</td>" in table


def test_a_landmark_without_photographs(make_manifest):
    chart, _ = class_histogram(make_manifest({str(number): number for number in range(100)}))
    assert "with 0 to 99 photographs" in chart
