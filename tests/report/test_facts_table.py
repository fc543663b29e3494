from landmark_zoo.report.facts_table import facts_table


def test_values_read_well():
    html = facts_table("Model", {"parameters": 1234567, "frozen": False, "alpha": None, "list": ["a", "b"],
                                 "rate": 2e-5, "<name>": "<script>"})
    assert '<th scope="col">Model</th>' in html
    for name, value in (("parameters", "1,234,567"), ("frozen", "no"), ("alpha", "–"), ("list", "a, b"),
                        ("rate", "2e-05"), ("&lt;name&gt;", "&lt;script&gt;")):
        assert f'<th scope="row">{name}</th><td>{value}</td>' in html
