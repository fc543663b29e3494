from xml.etree import ElementTree

import matplotlib
import pytest

from landmark_zoo.report.figure import INK, SERIES, Chart


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


def test_colours_follow_the_page():
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
