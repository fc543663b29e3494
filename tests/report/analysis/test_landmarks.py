from landmark_zoo.data.analysis.class_balance import class_balance
from landmark_zoo.report.analysis.landmarks import landmarks


def balance(counts):
    return class_balance(name for name, count in counts.items() for _ in range(count))


def test_head_and_tail_in_words_and_on_logarithmic_axes():
    html = landmarks(balance({f"place_{number}": max(1, 600 // (number + 1) ** 2) for number in range(80)}))
    assert "The most photographed landmark has 600 photographs, the least 1, the one in the middle 1." in html
    assert "Half of all 1,010 photographs show 1 landmark (1.2 % of 80)" in html
    assert "63 landmarks have a single photograph, 73 landmarks at most 10." in html
    assert "logarithmic axes: 600 to 1" in html
    assert '<th scope="row">3 to 5</th><td>4</td><td>5.0 %</td>' in html
    assert '<th scope="row">501 to 1,000</th><td>1</td>' in html
    assert "The 50 most photographed" in html
    assert "place 49" in html
    assert "place 50" not in html


def test_even_landmarks_have_no_tail():
    html = landmarks(balance({"a": 12, "<b>": 10}))
    assert "2 landmarks with 10 to 12 photographs each" in html
    assert "From head to tail" not in html
    assert "&lt;b&gt;" in html
    assert "1 landmark with 3 photographs each." in landmarks(balance({"a": 3}))
