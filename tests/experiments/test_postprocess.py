"""`python -m experiments.postprocess`, as a user starts it."""

import functools
import json
import subprocess
import sys

import pytest

from landmark_zoo.core.files import read_csv
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from tests.retrieval.made_up import made_up
from tests.run_script import run_script


@pytest.fixture
def folder(tmp_path):
    for name, count, prefix in (("index", 40, "i"), ("queries", 5, "q"), ("train", 60, "t")):
        made_up(count, seed=count, prefix=prefix).save(tmp_path / name)
    (tmp_path / "landmarks.csv").write_text("id,landmark\n" + "".join(f"t{n},{n % 5}\n" for n in range(60)))
    return tmp_path


@pytest.fixture
def postprocess(root, folder):
    usual = {"index": folder / "index", "queries": folder / "queries", "output": folder / "out"}
    return functools.partial(run_script, "experiments.postprocess", **usual)


@pytest.mark.slow
def test_whitening_augmentation_and_expansion_one_after_another_in_its_own_process(root, folder):
    command = [sys.executable, "-m", "experiments.postprocess", f"--index={folder / 'index'}",
               f"--queries={folder / 'queries'}", f"--output={folder / 'out'}", "--whitening=pca", "--dim=4",
               f"--whitening_train={folder / 'train'}", "--dba=3", "--expansion=alpha", "--neighbours=5"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"flags.json, index, queries, whitening, whitening_train in {folder / 'out'}\n"
    index, queries = EmbeddingSet.load(folder / "out/index"), EmbeddingSet.load(folder / "out/queries")
    index.check_model(4, queries.model_fingerprint)
    assert [step.split(":")[0] for step in index.provenance["steps"]] == ["whitening", "database augmentation"]
    assert [step.split(":")[0] for step in queries.provenance["steps"]] == ["whitening", "query expansion"]
    assert json.loads((folder / "out/flags.json").read_text())["dba"] == 3


def test_a_whitening_is_used_again_and_another_follows_it(postprocess, folder):
    assert postprocess(whitening="pca", whitening_train=folder / "train", dim=4, power=0).code == 0
    again = postprocess(whitening=folder / "out/whitening", output=folder / "again")
    assert again.code == 0, again.stderr
    first = EmbeddingSet.load(folder / "out/index")
    assert (first.vectors == EmbeddingSet.load(folder / "again/index").vectors).all()
    both = postprocess(index=folder / "out/index", queries=folder / "out/queries", whitening="learnt", dim=3,
                       whitening_train=folder / "out/whitening_train", landmarks=folder / "landmarks.csv",
                       output=folder / "both")
    assert both.code == 0, both.stderr
    assert EmbeddingSet.load(folder / "both/index").provenance["model"]["whitening"] == (
        "PCA, 8 to 4 dimensions, power 0.0, then learnt from pairs, 4 to 3 dimensions")


@pytest.mark.parametrize("method", ["diffusion", "k_reciprocal"])
def test_rankings(postprocess, folder, method):
    done = postprocess(**{method: True}, depth=7)
    assert done.code == 0, done.stderr
    rows = list(read_csv(folder / "out/rankings.csv", ["id", "images"]))
    assert [row["id"] for row in rows] == ["q0", "q1", "q2", "q3", "q4"]
    assert all(len(row["images"].split()) == 7 for row in rows)
    facts = json.loads((folder / "out/rankings.json").read_text())
    assert (facts["method"].replace("-", "_"), facts["depth"], facts["model_fingerprint"]) == (method, 7, "f")
    assert not (folder / "out/index").exists()


def test_both_truncations_of_diffusion(postprocess, folder):
    for name, late in (("early", False), ("late", True)):
        assert postprocess(diffusion=True, truncation=12, late_truncation=late, output=folder / name).code == 0
        settings = json.loads((folder / name / "rankings.json").read_text())["settings"]
        assert (settings["truncation"], settings["late_truncation"]) == (12, late)
    assert (folder / "early/rankings.csv").read_text() != (folder / "late/rankings.csv").read_text()


def test_training_images_that_are_tested_are_named(postprocess, folder, caplog):
    done = postprocess(whitening="pca", whitening_train=folder / "index")
    assert done.code == 0
    assert "40 photographs of --whitening_train are queries or index images, first i0" in caplog.text


@pytest.mark.parametrize(("flags", "message"), [
    ({"diffusion": True, "k_reciprocal": True}, "received both"),
    ({"whitening": "pca"}, "--whitening_train with --whitening=pca"),
    ({"whitening": "learnt", "whitening_train": "train"}, "--landmarks with --whitening=learnt"),
    ({"whitening": "tea"}, "whitening.json"),
    ({"whitening": "pca", "whitening_train": "train", "dim": 9}, "vary in 9 directions"),
    ({"whitening": "pca", "whitening_train": "train", "power": 2}, "a power from 0 to 0.5"),
    ({"queries": "absent"}, "embeddings.json"),
    ({"queries": "other"}, "Embed both with the same model"),
])
def test_mistakes_are_one_line_and_leave_nothing(postprocess, folder, flags, message):
    made_up(5, dimension=6, prefix="q").save(folder / "other")
    done = postprocess(**{name: folder / value if value in ("train", "absent", "other") else value
                          for name, value in flags.items()})
    assert done.code == 2
    assert message in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert not (folder / "out").exists()


def test_an_output_that_exists_is_refused(postprocess, folder):
    assert postprocess(dba=1).code == 0
    done = postprocess(dba=1)
    assert done.code == 2
    assert "one that exists" in done.stderr
