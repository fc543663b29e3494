import numpy as np

from landmark_zoo.report.confusion_chart import confusion_chart


def test_names_rows_and_tells_the_diagonal():
    chart = confusion_chart(np.array([[3, 1], [0, 4]]), ["bridge <old>", "tower"])
    assert "Confusion matrix of 2 landmarks; 87.5 % on the diagonal" in chart
    assert "bridge &lt;old&gt;" in chart


def test_many_landmarks_stay_unnamed():
    assert "landmark7" not in confusion_chart(np.eye(50, dtype=int), [f"landmark{n}" for n in range(50)])
