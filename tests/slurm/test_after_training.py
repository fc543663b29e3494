"""What follows training: export and evaluation by dependency, embeddings by a job array."""

import sys

import numpy as np
import pytest

from landmark_zoo.core.files import read_json

pytestmark = pytest.mark.slow
FLAGS = ("--model=resnet18_gem", "--alpha=0.25", "--embedding_dim=8", "--batch_size=4", "--image_size=32", "--epochs=0",
         "--nofreeze_batchnorm")


@pytest.fixture(scope="module")
def submit(slurm, root):
    """submit(script, log, *words, options=()) -> number."""
    def submitted(script, log, *words, options=()):
        return slurm.submit("--chdir", root, "--output", log, "--cpus-per-task=1", *options,
                            root / f"experiments/slurm/{script}.sbatch", *words, LANDMARK_ZOO_VENV=sys.prefix)
    return submitted


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """A drawn one in Google Landmarks' csv files."""
    from landmark_zoo.data.synthetic.collection import draw_collection
    folder = tmp_path_factory.mktemp("benchmark") / "drawn"
    draw_collection(folder, workers=1, train_landmarks=2, train_views=2, benchmark_landmarks=2, index_views=2,
                    query_views=1, distractors=1, long_side=64)
    return folder


@pytest.fixture(scope="module")
def workdir(slurm, submit, records, benchmark, tmp_path_factory):
    """A run that has been trained, exported and evaluated by two jobs."""
    folder = tmp_path_factory.mktemp("chain")
    training = submit("one_gpu", folder / "training.log", *FLAGS, f"--records={records}", f"--workdir={folder}/run")
    evaluation = submit("evaluate_after", folder / "evaluation.log", folder / "run", f"--benchmark={benchmark}",
                        options=[f"--dependency=afterok:{training}", "--kill-on-invalid-dep=yes"])
    assert slurm.wait(training)["JobState"] == "COMPLETED", (folder / "training.log").read_text()
    assert slurm.wait(evaluation)["JobState"] == "COMPLETED", (folder / "evaluation.log").read_text()
    return folder / "run"


def test_evaluation_follows_training(workdir):
    assert read_json(workdir / "results" / "metrics.json")
    assert (workdir / "savedmodel" / "1" / "saved_model.pb").exists()
    assert "mAP" in (workdir.parent / "evaluation.log").read_text()


def test_evaluation_never_starts_after_a_failure(slurm, submit, records, tmp_path):
    training = submit("one_gpu", tmp_path / "log", f"--records={records}", f"--workdir={tmp_path}/run", "--optimizer=lion")
    evaluation = submit("evaluate_after", tmp_path / "evaluation.log", tmp_path / "run",
                        options=[f"--dependency=afterok:{training}", "--kill-on-invalid-dep=yes"])
    assert slurm.wait(training)["ExitCode"] == "2:0"
    assert slurm.wait(evaluation)["JobState"] == "CANCELLED"
    assert not (tmp_path / "evaluation.log").exists()


def test_an_array_of_two_equals_one_run(slurm, submit, workdir, images, tmp_path):
    words = (f"--savedmodel={workdir}/savedmodel", f"--photos={images}", "--shard_size=8")
    for name, elements in (("parts", "0-1"), ("whole", "0-0")):
        array = submit("embed_array", tmp_path / f"{name}%a.log", *words, f"--output={tmp_path / name}",
                       options=[f"--array={elements}"])
        for element in range(int(elements[-1]) + 1):
            job = slurm.wait(f"{array}_{element}")
            assert job["JobState"] == "COMPLETED", (tmp_path / f"{name}{element}.log").read_text()
    assert (tmp_path / "parts" / "ids.csv").read_text() == (tmp_path / "whole" / "ids.csv").read_text()
    parts, whole = (np.load(tmp_path / name / "embeddings.npy", allow_pickle=False) for name in ("parts", "whole"))
    assert len(parts) == 48
    np.testing.assert_allclose(parts, whole, atol=1e-6)
