"""`python -m experiments.evaluate`, as a user starts it."""

import functools
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.files import lock_directory
from landmark_zoo.data.protocol import Protocol
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.export import write_saved_model
from tests.run_script import run_script
from tests.serving.conftest import little
from tests.tiny_saved_model import write_tiny_saved_model

QUERIES, INDEX = ["q0", "q1"], ["i0", "i1", "i2", "i3"]  # two landmarks in turn


@pytest.fixture(scope="module")
def savedmodel(root, tmp_path_factory):
    write = write_tiny_saved_model
    return write(tmp_path_factory.mktemp("models") / "tiny" / "1").parent


@pytest.fixture
def benchmark(tmp_path):
    """One folder in both formats; pictures of a landmark are alike, and a query shows it in its left half only."""
    folder = tmp_path / "bench"
    (folder / "jpg").mkdir(parents=True)
    for number, name in [*enumerate(QUERIES), *enumerate(INDEX)]:
        colors = np.random.default_rng(number % 2).integers(30, 226, [2, 2, 3], np.uint8)
        image = Image.fromarray(colors).resize((64, 64), Image.Resampling.NEAREST)
        if name in QUERIES:
            whole = Image.new("RGB", (128, 64), "white")
            whole.paste(image)
            image = whole
        image.save(folder / "jpg" / f"{name}.jpg", quality=95)
    (folder / "test.csv").write_text("id\n" + "\n".join([*QUERIES, "q9"]) + "\n")
    (folder / "index.csv").write_text("id\n" + "\n".join(INDEX) + "\n")
    (folder / "retrieval_solution.csv").write_text(
        "id,images,Usage\nq0,i0 i2,Public\nq1,i1 i3,Private\nq9,None,Ignored\n")
    box = [0, 0, 64, 64]
    (folder / "gnd_toy.json").write_text(json.dumps({"imlist": INDEX, "qimlist": QUERIES, "gnd": [
        {"bbx": box, "easy": [0], "hard": [2], "junk": []}, {"bbx": box, "easy": [1], "hard": [], "junk": [3]}]}))
    return folder


@pytest.fixture
def evaluate(root):
    return functools.partial(run_script, "experiments.evaluate")


def read(output):
    return json.loads((output / "metrics.json").read_text())


@pytest.mark.slow
def test_revisited_in_its_own_process_and_then_without_the_boxes(evaluate, root, savedmodel, benchmark, tmp_path):
    output = tmp_path / "out"
    command = [sys.executable, "-m", "experiments.evaluate", f"--savedmodel={savedmodel}", f"--benchmark={benchmark}",
               f"--output={output}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    facts = read(output)
    assert (facts["name"], facts["benchmark"], facts["protocol"]) == ("tiny", "toy", "revisited")
    assert {name: facts["metrics"][f"mAP/{name}"]["value"] for name in ("Easy", "Medium", "Hard")} == {
        "Easy": 1.0, "Medium": 1.0, "Hard": 1.0}
    assert (facts["card"]["exif"], facts["card"]["side"], facts["card"]["scales"]) == ("as stored", 64, [1.0])
    assert facts["card"]["crop"].startswith("queries cut to their boxes")
    assert "mAP/Medium" in done.stdout
    ranking = (output / "ranking.csv").read_text().splitlines()
    assert ranking[1].startswith("q0,1,")
    assert "junk" in "".join(ranking)

    whole = evaluate(savedmodel=savedmodel, benchmark=benchmark, output=tmp_path / "whole", crop=False)
    assert whole.code == 0, whole.stderr
    cards = [ProtocolCard.from_dict(read(folder)["card"]) for folder in (output, tmp_path / "whole")]
    assert set(cards[0].differences(cards[1])) == {"crop", "query_photographs_sha256"}


@pytest.mark.slow
def test_a_models_own_rules_are_followed_and_said(evaluate, benchmark, tmp_path):
    """Boxes at the image's scale and at the model's side: queries are what `crop` gives, the cards say which."""
    cards, boxes = {}, json.loads((benchmark / "gnd_toy.json").read_text())["gnd"]
    for name, protocol in {"side": Protocol(96), "image": Protocol(96, crop="image")}.items():
        path = write_saved_model(embedder_of(little(6), protocol), tmp_path / name, {"name": "m"})
        done = evaluate(savedmodel=path, benchmark=benchmark, output=tmp_path / f"of_{name}")
        assert done.code == 0, done.stderr
        found = EmbeddingSet.load(tmp_path / f"of_{name}" / "embeddings" / "queries")
        crop = tf.saved_model.load(str(path)).signatures["crop"]
        expected = crop(image_bytes=tf.constant([(benchmark / "jpg" / f"{query}.jpg").read_bytes() for query in QUERIES]),
                        box=tf.constant([entry["bbx"] for entry in boxes], tf.float32))["embedding"]
        np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
        cards[name] = ProtocolCard.from_dict(read(tmp_path / f"of_{name}")["card"])
    assert cards["side"].differences(cards["image"]) == {"crop": (
        "queries cut to their boxes, in pixels of the file, before the resize",
        "queries cut to their boxes, in pixels of the file, before the resize, which keeps the image's scale")}


def test_gldv2_with_a_missing_image_and_again_from_its_embeddings(evaluate, savedmodel, benchmark, tmp_path, caplog):
    (benchmark / "jpg" / "i2.jpg").unlink()
    output = tmp_path / "out"
    flags = {"benchmark": benchmark, "protocol": "gldv2_retrieval", "name": "my model"}
    done = evaluate(savedmodel=savedmodel, output=output, **flags)
    assert done.code == 0, done.stderr
    assert "1 of 4 index images have no embedding and count as not found, first i2" in caplog.text
    facts = read(output)
    assert facts["name"] == "my model"
    assert (facts["queries_used"], facts["queries_ignored"], facts["card"]["index_images_missing"]) == (2, 1, 1)
    assert facts["metrics"]["mAP@100/Public"]["value"] <= 0.5
    assert "i2" in (output / "embeddings/index/skipped.csv").read_text()

    sets = {"embeddings": output / "embeddings/index", "query_embeddings": output / "embeddings/queries"}
    again = evaluate(output=tmp_path / "again", **flags, **sets)
    assert again.code == 0, again.stderr
    assert read(tmp_path / "again") == facts
    strict = evaluate(output=tmp_path / "strict", strict=True, **flags, **sets)
    assert strict.code == 2
    assert "received 1 without one" in strict.stderr.splitlines()[-1]


@pytest.fixture
def sets(tmp_path):
    """Embeddings of the pictures of `benchmark`, a landmark in each direction, and of two others."""
    def save(name, **vectors):
        rows = np.array(list(vectors.values()), np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        EmbeddingSet(list(vectors), rows, "f", {"model": {"name": "planted"}}).save(tmp_path / name)
        return tmp_path / name
    return {"query_embeddings": save("queries", q0=[1, 0], q1=[0, 1]),
            "embeddings": save("index", i0=[3, 1], i1=[1, 3], i2=[2, 1], i3=[1, 2])}, save("others", d0=[5, 1], d1=[5, 2])


def test_distractors(evaluate, benchmark, sets, tmp_path):
    embeddings, others = sets
    for name, more in (("alone", {}), ("more", {"distractors": others})):
        done = evaluate(benchmark=benchmark, output=tmp_path / name, **embeddings, **more)
        assert done.code == 0, done.stderr
    assert "queries: 2 used, 0 ignored, 0 without an answer; index images: 4, 0 missing; distractors: 2 phot" in done.stdout
    alone, more = (read(tmp_path / name) for name in ("alone", "more"))
    assert (alone["name"], alone["card"]["distractors"]) == ("planted", "none")
    assert alone["metrics"]["mAP/Medium"]["value"] == 1.0
    assert more["metrics"]["mAP/Medium"]["value"] == pytest.approx((((0 + 1 / 2) / 2 + (1 / 3 + 2 / 4) / 2) / 2 + 1) / 2)
    refused = evaluate(benchmark=benchmark, output=tmp_path / "twice", **embeddings, distractors=embeddings["embeddings"])
    assert refused.code == 2
    assert "an image cannot be a distractor and in the index" in refused.stderr


def test_what_postprocess_ranks_is_measured_and_never_compared_silently(root, evaluate, benchmark, sets, tmp_path):
    embeddings, _ = sets
    done = run_script("experiments.postprocess", queries=embeddings["query_embeddings"], index=embeddings["embeddings"],
                      dba=1, k_reciprocal=True, output=tmp_path / "ranked")
    assert done.code == 0, done.stderr
    for name, flags in (("plain", embeddings), ("ranked_result", {"rankings": tmp_path / "ranked/rankings.csv"})):
        done = evaluate(benchmark=benchmark, output=tmp_path / name, protocol="gldv2_retrieval", **flags)
        assert done.code == 0, done.stderr
    plain, ranked = (ProtocolCard.from_dict(read(tmp_path / name)["card"]) for name in ("plain", "ranked_result"))
    assert ranked.reranking.startswith("k-reciprocal, candidates 500, k1 20")
    assert set(plain.differences(ranked)) == {"reranking", "database_augmentation"}


def test_scores(evaluate, benchmark, tmp_path):
    np.save(tmp_path / "mine.npy", np.array([[0.9, 0.1, 0.8, 0.2], [0.1, 0.2, 0.8, 0.9]]))
    flags = {"benchmark": benchmark, "protocol": "gldv2_retrieval", "output": tmp_path / "out"}
    done = evaluate(scores=tmp_path / "mine.npy", **flags)
    assert done.code == 0, done.stderr
    facts = read(tmp_path / "out")
    assert (facts["name"], facts["card"]["model_fingerprint"]) == ("mine", "not stated")
    assert facts["metrics"]["mAP@100"]["value"] == pytest.approx((1 + (1 + 2 / 3) / 2) / 2)


def test_truncated_rankings_under_strict(evaluate, benchmark, tmp_path):
    (tmp_path / "mine.csv").write_text("id,images\nq0,i0 i2\n")
    flags = {"benchmark": benchmark, "protocol": "gldv2_retrieval", "rankings": tmp_path / "mine.csv"}
    assert evaluate(output=tmp_path / "out", **flags).code == 0
    facts = read(tmp_path / "out")
    assert (facts["metrics"]["mAP@100"]["value"], facts["card"]["queries_missing"], facts["card"]["depth"]) == (
        0.5, 1, "2 places at most")
    strict = evaluate(output=tmp_path / "strict", strict=True, **flags)
    assert strict.code == 2
    assert "received 1 without one" in strict.stderr


def test_ones_own_folder_embedded_once(evaluate, savedmodel, benchmark, tmp_path):
    for number, name in enumerate(INDEX):
        place = tmp_path / "mine" / f"landmark{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        (benchmark / "jpg" / f"{name}.jpg").rename(place / f"{name}.jpg")
    flags = {"benchmark": tmp_path / "mine", "protocol": "folder"}
    done = evaluate(savedmodel=savedmodel, output=tmp_path / "out", **flags)
    assert done.code == 0, done.stderr
    facts = read(tmp_path / "out")
    assert (facts["protocol"], facts["queries_used"], facts["metrics"]["mAP"]["value"]) == ("folder", 4, 1.0)
    again = evaluate(embeddings=tmp_path / "out/embeddings/index", output=tmp_path / "again", **flags)
    assert again.code == 0, again.stderr
    assert read(tmp_path / "again")["metrics"] == facts["metrics"]


def test_the_first_benchmarks_from_the_authors_text_files(evaluate, savedmodel, benchmark, tmp_path):
    for kind, text in {"query": "oxc1_i0 0 0 64 64", "good": "i0", "ok": "i2", "junk": "q0"}.items():
        (benchmark / f"tower_1_{kind}.txt").write_text(text)
    done = evaluate(savedmodel=savedmodel, benchmark=benchmark, ground_truth=benchmark, output=tmp_path / "out")
    assert done.code == 0, done.stderr
    facts = read(tmp_path / "out")
    assert (facts["protocol"], facts["card"]["index_images"], facts["metrics"]["mAP"]["value"]) == ("oxford", 6, 1.0)
    assert facts["card"]["crop"].startswith("queries cut to their boxes")
    assert facts["card"]["exif"] == "as stored"


@pytest.mark.parametrize(("flags", "message"), [
    ({"rankings": "r.csv", "scores": "s.npy"}, "received --rankings and --scores"),
    ({"query_embeddings": "q", "rankings": "r.csv"}, "--query_embeddings without --embeddings"),
    ({"rankings": "r.csv", "distractors": "d"}, "received them with --rankings"),
    ({"embeddings": "e"}, "received --embeddings alone"), ({"rankings": "absent.csv"}, "a readable csv file")])
def test_what_to_measure_is_said_once(evaluate, benchmark, tmp_path, flags, message):
    done = evaluate(benchmark=benchmark, output=tmp_path / "out", **flags)
    assert done.code == 2
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_mistakes_are_one_line(evaluate, savedmodel, benchmark, tmp_path):
    def last_line(**flags):
        done = evaluate(output=tmp_path / "out", **flags)
        assert done.code == 2
        return done.stderr.splitlines()[-1]
    assert "--savedmodel, or --embeddings" in last_line(benchmark=benchmark)
    assert "Give --benchmark" in last_line(savedmodel=savedmodel)
    with lock_directory(tmp_path / "out"):
        assert "a run that is using it" in last_line(savedmodel=savedmodel, benchmark=benchmark)
