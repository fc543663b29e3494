from landmark_zoo.report.card_table import card_table, unlike, versions_table


def test_rows_that_differ_are_marked(make_result):
    html = card_table([make_result("a", card={"side": 224, "scales": [1.0, 0.5], "crop": "<none>"}),
                       make_result("b", card={"side": 288, "scales": [1.0, 0.5], "crop": "<none>"})])
    assert '<tr class="marked"><th scope="row">side</th><td>224</td><td>288</td></tr>' in html
    assert '<tr><th scope="row">scales</th><td>1.0, 0.5</td><td>1.0, 0.5</td></tr>' in html
    assert "&lt;none&gt;" in html
    assert html.count("marked") == 1


def test_a_fact_that_one_card_lacks_differs(make_result):
    html = card_table([make_result("a", card={}), make_result("b", card={"whitening": True})])
    assert '<tr class="marked"><th scope="row">whitening</th><td>–</td><td>yes</td></tr>' in html


def test_checksums_are_shortened_and_versions_are_left_to_their_table(make_result):
    html = card_table([make_result(card={"sha256": "0123456789ab" + "f" * 52, "versions": {"numpy": "1"}})])
    assert "<td>0123456789ab…</td>" in html
    assert "numpy" not in html


def test_unlike_names_conditions_and_not_the_system(make_result):
    before = make_result(card={"side": 224, "model_name": "a", "versions": {"numpy": "1"}, "git_commit": "x"})
    after = make_result(card={"side": 288, "model_name": "b", "versions": {"numpy": "2"}, "git_commit": "y", "exif": 1})
    assert unlike(before, after) == ["side", "exif"]
    assert unlike(before, before) == []


def test_versions(make_result):
    html = versions_table([make_result("a", card={"versions": {"numpy": "1.26"}}), make_result("silent", card={})],
                          {"numpy": "1.27", "pillow": "12"})
    assert '<th scope="col">a</th><th scope="col">this page</th>' in html
    assert '<tr class="marked"><th scope="row">numpy</th><td>1.26</td><td>1.27</td></tr>' in html
    assert '<th scope="row">pillow</th><td>–</td><td>12</td>' in html
    assert "silent" not in html
