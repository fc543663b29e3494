import pytest

from landmark_zoo.data.synthetic.size import Size


def test_the_default_is_about_2500_pictures():
    size = Size()
    gldv2 = size.train_landmarks * size.train_views + size.benchmark_landmarks * (size.index_views + size.query_views)
    assert 2200 < gldv2 + size.distractors < 2600


@pytest.mark.parametrize(("name", "value"), [("train_landmarks", 0), ("query_views", 0), ("distractors", -1),
                                              ("long_side", 63)])
def test_too_small_is_refused(name, value):
    with pytest.raises(ValueError, match=f"expected {name} of at least .*, received {value}"):
        Size(**{name: value})
