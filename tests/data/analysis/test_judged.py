import numpy as np

from landmark_zoo.data.analysis.judged import Judged
from landmark_zoo.data.analysis.label_noise import LabelNoise


def test_orders_by_doubt_and_leaves_out_what_cannot_be_judged():
    noise = LabelNoise(np.array([0.1, np.nan, 0.5, 0.3], np.float32), np.array([1, np.nan, 0, 1], np.float32),
                       np.array([1, 0, 0, 1]))
    judged = Judged(np.arange(4), noise, ["a", "b"])
    assert judged.strangest().tolist() == [2, 3, 0]
    assert judged.most_disputed().tolist() == [3, 0], "equal ones by strangeness; the undisputed not at all"
