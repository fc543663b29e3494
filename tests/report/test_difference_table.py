from landmark_zoo.report.difference_table import difference_table


def test_compares_the_last_system_with_each_other_one(make_result):
    html = difference_table([make_result("first", {"q0": 0.0, "q1": 0.1}), make_result("elsewhere", benchmark="other"),
                             make_result("<second>", {"q0": 0.5, "q1": 0.2}),
                             make_result("last", {"q0": 0.4, "q1": 0.6})])
    assert "“last” against" in html
    assert '<th scope="row">first</th><td>+45.0</td><td>+40.0 to +50.0</td><td>yes</td><td>2</td>' in html
    assert '<th scope="row">&lt;second&gt;</th><td>+15.0</td><td>−10.0 to +40.0</td><td>no, zero is inside</td>' in html
    assert "elsewhere" not in html


def test_nothing_without_another_system(make_result):
    assert difference_table([make_result()]) == ""
