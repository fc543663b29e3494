import numpy as np

from landmark_zoo.retrieval.index.index_images import IndexImages


def table(ids, **fields):
    images = IndexImages()
    images.add(ids, {"landmark": fields.get("landmark", [""] * len(ids)), "source": [""] * len(ids)})
    return images


def test_numbers_are_given_once():
    images = table(["a", "b", "c"])
    assert images.remove(["c", "a"]).tolist() == [0, 2]
    assert images.add(["c"], {"landmark": [""], "source": [""]}).tolist() == [3]
    assert images.ids == ["b", "c"]
    assert images.rows(np.array([[3, 1]])).tolist() == [[1, 0]]
    assert images.known(["a", "b", "c"]) == {"b", "c"}


def test_matching_is_by_number():
    images = table(["a", "b", "c"], landmark=["1", "2", "1"])
    images.remove(["a"])
    assert images.matching({"landmark": ["1"]}).tolist() == [False, False, True]
    assert images.matching({}).tolist() == [False, True, True]


def test_the_table_survives_a_file(tmp_path):
    images = table(["a,b", 'c "d"\ne', "é"], landmark=["1", "2", ""])
    images.remove(["a,b"])
    images.save(tmp_path / "ids.csv")
    loaded = IndexImages.load(tmp_path / "ids.csv", images.next_number)
    assert (loaded.ids, loaded.fields) == (images.ids, images.fields)
    assert loaded.numbers.tolist() == [1, 2]
    assert loaded.add(["new"], {"landmark": [""], "source": [""]}).tolist() == [3]
