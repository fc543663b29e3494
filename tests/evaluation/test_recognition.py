import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.recognition import RecognitionBenchmark, predict_landmarks

SOLUTION = ("id,landmarks,Usage\n0123456789abcdef,0 12,Public\n0223456789abcdef,,Public\n0323456789abcdef,None,Ignored\n"
            "0423456789abcdef,1,Private\n0523456789abcdef,,Ignored\n0623456789abcdef,None,Private\n")


@pytest.fixture
def files(tmp_path):
    def write(solution=SOLUTION, submission=""):
        (tmp_path / "solution.csv").write_text(solution)
        (tmp_path / "submission.csv").write_text("id,landmarks\n" + submission)
        return tmp_path / "solution.csv", tmp_path / "submission.csv"
    return write


def measured(files, submission):
    solution, path = files(submission=submission)
    benchmark = RecognitionBenchmark.read(solution)
    predictions = benchmark.read_submission(path)
    return ({name: metric["value"] for name, metric in benchmark.measure(predictions).items()},
            benchmark.counts(predictions), benchmark.measure(predictions))


def test_public_private_and_counts(files):
    values, counts, metrics = measured(
        files, "0123456789abcdef,12 0.5\n0223456789abcdef,7 0.9\n0423456789abcdef,1 0.2\n0323456789abcdef,1 1.0\n"
               "0623456789abcdef,\n")
    assert values == pytest.approx({"GAP": (1 / 2 + 2 / 3) / 2, "GAP/Public": 0.5, "GAP/Private": 1.0})
    assert counts == {"queries_used": 4, "with_landmark": 2, "without_landmark": 2, "queries_ignored": 2,
                      "predictions_used": 3, "predictions_ignored": 1}
    assert [metric["queries"] for metric in metrics.values()] == [4, 2, 2]


def test_ties_stand_by_image(files):
    values, _, _ = measured(files, "0423456789abcdef,1 0.5\n0223456789abcdef,7 0.5\n0123456789abcdef,9 0.5\n")
    assert values["GAP"] == pytest.approx((1 / 3) / 2)


def test_usage_may_be_absent(files):
    solution, _ = files(solution="id,landmarks\na,1\nb,\n")
    assert list(RecognitionBenchmark.read(solution).measure({"a": (1, 0.5)})) == ["GAP"]


@pytest.mark.parametrize(("solution", "message"), [
    ("id,landmarks\na,1\na,2\n", "a twice"), ("id,landmarks\na,tower\n", "as numbers for a"),
    ("id,landmarks\na,\n", "a landmark"), ("id,images\na,1\n", "column landmarks")])
def test_faults_of_the_solution(files, solution, message):
    with pytest.raises(UserError, match=message):
        RecognitionBenchmark.read(files(solution=solution)[0])


@pytest.mark.parametrize(("submission", "message"), [
    ("0123456789abcdef,1\n", "a landmark and a confidence for 0123456789abcdef"),
    ("0123456789abcdef,1 nan\n", "received '1 nan'"), ("0123456789abcdef,1 0.5 2 0.4\n", "one prediction"),
    ("0123456789abcdef,x 0.5\n", "received 'x 0.5'"), ("other,1 0.5\n", "other, which it does not have"),
    ("0123456789abcdef,\n0123456789abcdef,1 0.5\n", "twice")])
def test_faults_of_the_submission(files, submission, message):
    solution, path = files(submission=submission)
    with pytest.raises(UserError, match=message):
        RecognitionBenchmark.read(solution).read_submission(path)


def test_takes_the_largest_logit():
    inputs = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(inputs, {"logits": tf.reduce_mean(inputs, axis=(1, 2))})
    images = np.zeros([3, 4, 4, 3], np.float32)
    images[0, ..., 2] = images[1, ..., 0] = images[2, ..., 1] = 2.0
    batches = tf.data.Dataset.from_tensor_slices((images, [2, 0, 0])).batch(2)
    labels, predictions, probabilities = predict_landmarks(model, batches)
    np.testing.assert_array_equal(labels, [2, 0, 0])
    np.testing.assert_array_equal(predictions, [2, 0, 1])
    np.testing.assert_allclose(probabilities, np.exp(2) / (np.exp(2) + 2), rtol=1e-6)
