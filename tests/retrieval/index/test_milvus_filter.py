from landmark_zoo.retrieval.index.milvus_filter import milvus_any, milvus_filter


def test_filters():
    assert milvus_filter({}) == ""
    assert milvus_filter({"landmark": ["4", "17"], "source": ["é"]}) == 'landmark in ["4", "17"] and source in ["é"]'


def test_quotes_and_backslashes_cannot_end_a_text():
    assert milvus_any("id", ['a"] or id in ["b', "c\\"]) == r'id in ["a\"] or id in [\"b", "c\\"]'
