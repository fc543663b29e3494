"""`python -m experiments.index`, as a user starts it."""

import pymilvus  # noqa: F401 - sets up logging when first imported, which closes a stderr that run_script has replaced
import pytest

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.build import open_index
from tests.retrieval.index.unit_vectors import names, unit_vectors
from tests.run_script import run_script


@pytest.fixture
def embeddings(tmp_path):
    EmbeddingSet(names(30), unit_vectors(30), "f").save(tmp_path / "near")
    EmbeddingSet(names(30, "far"), unit_vectors(30, seed=1), "f").save(tmp_path / "far")
    (tmp_path / "landmarks.csv").write_text("id,landmark_id\nimage3,arch\nimage4,arch\n")
    return f"{tmp_path / 'near'},{tmp_path / 'far'}"


@pytest.mark.parametrize(("kind", "name"), [("hnsw", "index"), ("milvus", "index.db")])
def test_an_index_with_fields(kind, name, embeddings, tmp_path):
    done = run_script("experiments.index", embeddings=embeddings, kind=kind, output=tmp_path / name,
                      landmarks=tmp_path / "landmarks.csv")
    assert done.code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"60 images in {tmp_path / name}"
    index = open_index(tmp_path / name)
    assert sorted(index.search(unit_vectors(1), 9, {"landmark": "arch", "source": "near"})[0][0]) == ["image3", "image4"]
    if kind == "hnsw":
        assert (tmp_path / name / "flags.json").exists()


@pytest.mark.parametrize(("change", "message"), [
    ({"embeddings": "absent"}, "embeddings.json"),
    ({"kind": "milvus"}, "ends in .db"),
    ({"kind": "ivfpq"}, "at least 256 embeddings"),
    ({"landmarks": "absent.csv"}, "absent.csv"),
    ({"landmarks": "others.csv"}, "1 of others, first image99"),
    ({"output": ""}, "one that exists"),
])
def test_mistakes_are_one_line(change, message, embeddings, tmp_path):
    (tmp_path / "others.csv").write_text("id,landmark_id\nimage99,arch\n")
    if change.get("landmarks") == "others.csv":
        change = {"landmarks": tmp_path / "others.csv"}
    values = {"embeddings": embeddings, "output": tmp_path / "index", **change}
    done = run_script("experiments.index", **values)
    assert done.code == 2
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "index").exists()
