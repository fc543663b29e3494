from landmark_zoo.report.table import Html, table


def test_cells_are_escaped_unless_they_are_html():
    html = table(["<a>", "b"], [["<i>", Html("<b>1</b>")], [3, "x & y"]])
    assert '<th scope="col">&lt;a&gt;</th>' in html
    assert '<tr><th scope="row">&lt;i&gt;</th><td><b>1</b></td></tr>' in html
    assert '<tr><th scope="row">3</th><td>x &amp; y</td></tr>' in html


def test_marked_rows():
    assert table(["a"], [["x"], ["y"]], [False, True]).count('<tr class="marked"><th scope="row">y') == 1
