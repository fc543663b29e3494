from landmark_zoo.data.doctor.finding import Finding


def test_a_line():
    assert str(Finding("train", "a.tfrecord", "missing")) == "train/a.tfrecord: missing"
