from collections import Counter

from landmark_zoo.data.doctor.checks.class_counts import class_counts


def test_other_counts(manifest):
    assert list(class_counts(manifest, Counter([0, 1]))) == []
    assert list(class_counts(manifest, Counter([1, 1]))) == [
        "2 labels with other counts than in the files, first 0: 1, not 0"]
