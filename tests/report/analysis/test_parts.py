from landmark_zoo.report.analysis.parts import parts


def test_a_row_for_each_part_and_the_reasons(findings):
    html = parts(findings.collection)
    cells = "</td><td>".join(["6", "3", "1", "1", "20.0 %", "64"])
    assert f'<th scope="row">train</th><td>{cells}</td>' in html
    assert '<th scope="row">queries</th><td>1</td><td>0</td>' in html
    assert '<th scope="row">empty file</th><td>1</td>' in html
