from landmark_zoo.report.document import POLICY, document


def test_sections_are_linked_and_nothing_is_loaded():
    page = document("a < b", "<header></header>", [("one", "First", "<p>1</p>"), ("two", "Second", "<p>2</p>")])
    assert "<title>a &lt; b</title>" in page
    assert POLICY in page
    assert page.index('href="#one"') < page.index('<section id="one">') < page.index('<section id="two">')
