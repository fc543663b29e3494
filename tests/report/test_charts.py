import dataclasses
import warnings
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.report.charts import INK, SERIES, Chart, class_histogram, confusion_chart, curves, smoothed


def drawn(name="c", label="<script>alert('$x_1$ -->')</script>"):
    with Chart(name, label, "steps", "loss (nats)") as chart:
        chart.axes.plot([0, 1], [0, 1], color=SERIES[0], label=label)
        chart.axes.legend()
    return chart.html(f"alt {label}")


def test_is_well_formed_with_labels_and_alternative_text():
    figure = ElementTree.fromstring(drawn())
    texts = "".join(figure.itertext())
    assert "steps" in texts
    assert "loss (nats)" in texts
    assert texts.count("<script>alert('$x_1$ -->')</script>") == 2, "as text, formulas not interpreted"
    assert figure[0].get("role") == "img"
    assert figure[0].get("aria-label").startswith("alt <script>")


def test_refers_to_nothing_outside():
    assert "http" not in drawn()
    assert "<metadata" not in drawn()


@pytest.mark.parametrize("name", ["日本橋", "جسر", "गेटवे", "ירושלים", "🗼"])
def test_a_name_in_any_script_stays_text_without_warnings(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Chart("names", name, "x", "y") as chart:
            chart.axes.set_yticks([0], [name])
    assert chart.html("Names.").count(f">{name}</text>") == 2


def test_colors_follow_the_page():
    html = drawn()
    assert SERIES[0] not in html
    assert INK not in html
    assert "var(--series-0)" in html


def test_ids_of_two_charts_do_not_clash():
    def ids(html):
        return {element.get("id") for element in ElementTree.fromstring(html).iter() if element.get("id")}
    assert ids(drawn("a"))
    assert not ids(drawn("a")) & ids(drawn("b"))


def test_the_same_chart_is_the_same_text():
    assert drawn() == drawn()


def test_leaves_the_style_of_others_alone_even_after_an_error():
    before = dict(matplotlib.rcParams)
    with pytest.raises(ZeroDivisionError), Chart("c", "", "", ""):
        1 / 0  # noqa: B018
    assert dict(matplotlib.rcParams) == before


def test_four_charts_with_axes(run):
    charts = curves(run)
    for chart, title in zip(charts, ("Loss", "Accuracy", "Learning rate", "Speed"), strict=True):
        assert f">{title}<" in chart
    assert all("optimiser step" in chart for chart in charts)
    assert "training, smoothed" in charts[0]
    assert "validation" in charts[0]
    assert "training from 0.25 to 50, validation from 41.2 to 41.2" in charts[1]


def test_retrieval_of_unseen_landmarks_stands_beside_the_losses(selected):
    chart = curves(selected)[2]
    assert ">Retrieval of landmarks that training does not see<" in chart
    assert "mAP from 55.1 to 60.1 per cent; kept: step 1000" in chart
    for label in ("mAP", "mP@5", "recall@1", "kept"):
        assert f">{label}<" in chart
    kept = selected.selection | {"kept": selected.selection["kept"] | {"factor": 0.25}}
    assert "kept: step 1000, weights 0.25 of the way" in curves(dataclasses.replace(selected, selection=kept))[2]
    assert "kept: step" not in curves(dataclasses.replace(selected, selection={}))[2]


def test_what_the_history_lacks_is_left_out(run):
    lines = [{"step": 1, "loss": 2.0}]
    assert len(curves(dataclasses.replace(run, training=lines, validation=[]))) == 1
    assert curves(dataclasses.replace(run, training=[], validation=[])) == []


def test_figures_that_are_not_finite_are_left_out(run):
    lines = [{"step": step, "loss": loss} for step, loss in enumerate([2.0, float("nan"), None, 1.0])]
    assert "training from 2 to 1" in curves(dataclasses.replace(run, training=lines, validation=[]))[0]


def test_a_long_history_is_drawn_as_means_of_groups(run):
    lines = [{"step": step, "loss": 1 + step % 7} for step in range(50_000)]
    assert len(curves(dataclasses.replace(run, training=lines, validation=[]))[0]) < 60_000


def test_smoothed_by_hand():
    weight = np.exp(-0.5)
    far = np.exp(-2.0)
    expected = [(0 + 3 * weight + 0 * far) / (1 + weight + far), 3 / (1 + 2 * weight), 3 * weight / (1 + weight + far)]
    np.testing.assert_allclose(smoothed([0, 3, 0], 1.0), expected)
    np.testing.assert_allclose(smoothed([1, 5, 2], 0), [1, 5, 2])


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0, 10))
def test_smoothed_stays_within_its_values(values, width):
    means = smoothed(values, width)
    assert len(means) == len(values)
    assert min(values) - 1e-6 <= means.min() <= means.max() <= max(values) + 1e-6


def test_smoothing_keeps_a_straight_line_in_the_middle():
    line = np.arange(100.0)
    assert smoothed(line, 3)[20:80] == pytest.approx(line[20:80]), "no lag"


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


def test_a_landmark_without_images(make_manifest):
    chart, _ = class_histogram(make_manifest({str(number): number for number in range(100)}))
    assert "with 0 to 99 photographs" in chart


def test_names_rows_and_tells_the_diagonal():
    chart = confusion_chart(np.array([[3, 1], [0, 4]]), ["bridge <old>", "tower"])
    assert "Confusion matrix of 2 landmarks; 87.5 % on the diagonal" in chart
    assert "bridge &lt;old&gt;" in chart


def test_many_landmarks_stay_unnamed():
    assert "landmark7" not in confusion_chart(np.eye(50, dtype=int), [f"landmark{n}" for n in range(50)])
