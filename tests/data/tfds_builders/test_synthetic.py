def test_it_is_drawn_and_built(build):
    builder = build("synthetic", None, "tiny")
    assert builder.info.features["image/class/label"].num_classes == 4
    assert builder.info.splits["train"].num_examples >= 4
