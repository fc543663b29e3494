import numpy as np

from landmark_zoo.core.files import write_json
from landmark_zoo.report.recognition_page import write_recognition_page


def test_tells_accuracy_and_what_is_taken_for_what(tmp_path):
    write_json(tmp_path / "run" / "flags.json", {"epochs": 3})
    facts = {"model": "vgg16_classifier", "part": "test", "accuracy": 0.875, "low": 0.5, "high": 1.0}
    page = write_recognition_page(tmp_path / "out", facts, np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]),
                                  ["bridge", "tower", "unseen"], tmp_path / "run").read_text()
    assert "recognises 87.5 % of 8 photographs of the test part (95 % interval 50.0 to 100.0)" in page
    assert page.index("tower (1)") < page.index("100.0</td>")
    assert "unseen</th>" not in page
