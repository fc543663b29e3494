def test_all_are_distractors(build, put):
    builder = build("revisitop1m", put("0/a.jpg", "0/b.jpg", "1/a.jpg"))
    assert builder.info.splits["index"].num_examples == 3
    assert builder.info.features["image/class/label"].names == ["distractor"]
