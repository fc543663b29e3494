"""Tables as text."""

from experiments.ensembles.aligned_text import aligned_text


def test_columns_stand_below_each_other():
    assert aligned_text([("a", "long"), ("bb", "c")]) == "a   long\nbb  c"
