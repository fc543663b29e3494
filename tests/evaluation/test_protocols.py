import io
import json
import os
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import landmark_zoo.evaluation
import landmark_zoo.report
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.evaluation.folder import FolderBenchmark
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.oxford_paris import OxfordBenchmark, RevisitedBenchmark
from landmark_zoo.evaluation.protocols import benchmark_images, evaluate, read_benchmark
from landmark_zoo.evaluation.rankings import rank_embeddings
from tests.data.download.archives import gldv2_benchmark_site, picture_bytes, tar_bytes
from tests.run_script import run_script


def write_gldv2(folder):
    (folder / "test.csv").write_text("id\nq\n")
    (folder / "index.csv").write_text("id\na\n")
    (folder / "retrieval_solution.csv").write_text("id,images,Usage\nq,a,Public\n")


def write_revisited(folder, name="gnd_toy.json"):
    truth = {"imlist": ["a"], "qimlist": ["q"], "gnd": [{"bbx": [0, 0, 9, 9], "easy": [0], "hard": [], "junk": []}]}
    (folder / name).write_text(json.dumps(truth))
    return folder / name


def test_the_kind_is_found(tmp_path):
    write_gldv2(tmp_path)
    assert isinstance(read_benchmark(tmp_path), Gldv2Benchmark)
    write_revisited(tmp_path)
    assert isinstance(read_benchmark(tmp_path), RevisitedBenchmark)
    assert isinstance(read_benchmark(tmp_path, protocol="gldv2_retrieval"), Gldv2Benchmark)


def test_ground_truth_may_lie_elsewhere(tmp_path):
    assert read_benchmark(None, write_revisited(tmp_path)).name == "toy"


def test_json_is_read_where_a_pickle_of_the_same_name_lies_beside_it(tmp_path):
    write_revisited(tmp_path)
    (tmp_path / "gnd_toy.pkl").write_bytes(b"not read")
    assert read_benchmark(tmp_path).name == "toy"


def test_the_first_benchmarks_are_known_by_name_or_asked_for(tmp_path):
    assert isinstance(read_benchmark(None, write_revisited(tmp_path, "gnd_oxford5k.json")), OxfordBenchmark)
    other = write_revisited(tmp_path, "gnd_toy.json")
    assert isinstance(read_benchmark(None, other, protocol="oxford"), OxfordBenchmark)
    paris = write_revisited(tmp_path, "gnd_paris6k.json")
    assert isinstance(read_benchmark(None, paris, protocol="revisited"), RevisitedBenchmark)


def test_text_files_with_the_images_beside_them(tmp_path):
    for place in ("gt_files", "jpg"):
        (tmp_path / place).mkdir()
    for name in ("a", "b", "c", "paris_louvre_000136"):
        (tmp_path / "jpg" / f"{name}.jpg").touch()
    for kind, text in {"query": "oxc1_a 1 2 30 40", "good": "a", "ok": "b", "junk": "c"}.items():
        (tmp_path / "gt_files" / f"tower_1_{kind}.txt").write_text(text)
    benchmark = read_benchmark(tmp_path)
    assert isinstance(benchmark, OxfordBenchmark)
    assert benchmark.index_ids == ("a", "b", "c")
    assert read_benchmark(None, tmp_path / "gt_files", photos=tmp_path / "jpg").labels == benchmark.labels
    with pytest.raises(UserError, match="Give --photos"):
        read_benchmark(None, tmp_path / "gt_files")


def test_one_folder_per_landmark_is_never_guessed(tmp_path):
    for name in ("tower/a.jpg", "tower/b.jpg", "bridge/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert isinstance(read_benchmark(tmp_path, protocol="folder"), FolderBenchmark)
    with pytest.raises(UserError, match=r"test\.csv"):
        read_benchmark(tmp_path)


def test_faults(tmp_path):
    with pytest.raises(UserError, match="Give --benchmark"):
        read_benchmark(None)
    with pytest.raises(UserError, match="a folder at"):
        read_benchmark(tmp_path / "absent")
    with pytest.raises(UserError, match=r"test\.csv"):
        read_benchmark(tmp_path)
    with pytest.raises(UserError, match="received none"):
        read_benchmark(tmp_path, protocol="revisited")
    write_revisited(tmp_path)
    write_revisited(tmp_path, "gnd_other.json")
    with pytest.raises(UserError, match="received gnd_other, gnd_toy"):
        read_benchmark(tmp_path)


IDS = ("a", "b", "c", "d")
POSITIVES = {"a": frozenset({"c"}), "b": frozenset({"d"})}
GLDV2 = Gldv2Benchmark("g", ("a", "b"), IDS, POSITIVES, {"a": "", "b": ""}, 0, "1")
GRADED = RevisitedBenchmark("r", ("a", "b"), IDS, ((0, 0, 9, 9),) * 2, tuple(
    {"easy": frozenset({place}), "hard": frozenset(), "junk": frozenset()} for place in (2, 3)), "1")
FOLDER = FolderBenchmark("f", dict.fromkeys(IDS, Path()), {"a": "x", "b": "y", "c": "x", "d": "y"}, "1")
SCORES = np.array([[0.9, 0.1, 0.5, 0.6], [0.1, 0.9, 0.6, 0.5], [0.5, 0.6, 0.9, 0.1], [0.6, 0.5, 0.1, 0.9]])


@pytest.mark.parametrize(("benchmark", "protocol", "metric", "value"), [
    (GLDV2, "gldv2_retrieval", "mAP@100", 1 / 2),       # the query itself is taken out, the positive is second
    (GRADED, "revisited", "mAP/Medium", (0 + 1 / 3) / 2),
    (FOLDER, "folder", "mAP", 1 / 2)])                  # the query is taken out
def test_protocol_and_figure(planted, benchmark, protocol, metric, value):
    queries, index = planted(benchmark.query_ids, IDS, SCORES[:len(benchmark.query_ids)])
    found = evaluate(benchmark, rank_embeddings(benchmark, queries, index), "m")
    assert found.card.protocol == protocol
    assert found.metrics[metric].value == pytest.approx(value)


NOTHING = {"easy": frozenset(), "hard": frozenset(), "junk": frozenset()}
OXFORD = RevisitedBenchmark("toy", ("q",), ("a", "b"), ((1, 2, 30, 40),), (NOTHING,), "")
BENCHMARK_IMAGES_GLDV2 = Gldv2Benchmark("toy", ("q",), ("a", "b"), {"q": frozenset("a")}, {"q": ""}, 0, "")


@pytest.fixture
def locator(tmp_path):
    (tmp_path / "jpg").mkdir()
    for name in "qa":
        (tmp_path / "jpg" / f"{name}.jpg").touch()
    return ImageLocator(tmp_path)


def test_queries_of_a_revisited_benchmark_have_boxes(locator):
    queries, index = benchmark_images(OXFORD, locator, crop=True)
    assert queries == [("q", locator.root / "jpg" / "q.jpg", (1, 2, 30, 40))]
    assert [image.box for image in index] == [None, None]
    assert benchmark_images(OXFORD, locator, crop=False)[0][0].box is None
    assert benchmark_images(BENCHMARK_IMAGES_GLDV2, locator, crop=True)[0][0].box is None


@pytest.mark.parametrize("benchmark", [
    replace(OXFORD, query_ids=("q.jpg",), index_ids=("a.jpg", "b.jpg")),
    Gldv2Benchmark("toy", ("q.jpg",), ("a.jpg", "b.jpg"), {"q.jpg": frozenset(["a.jpg"])}, {"q.jpg": ""}, 0, "")])
def test_names_with_their_suffix_find_the_same_files(locator, benchmark):
    queries, index = benchmark_images(benchmark, locator, crop=True)
    assert [(image.id, image.path.exists()) for image in (*queries, *index)] == [
        ("q.jpg", True), ("a.jpg", True), ("b.jpg", False)]


def test_index_images_of_text_files_are_those_of_any_walk(tmp_path, caplog):
    for kind, text in {"query": "oxc1_a 1 2 30 40", "good": "a", "ok": "b", "junk": "c"}.items():
        (tmp_path / f"tower_1_{kind}.txt").write_text(text)
    (tmp_path / "jpg").mkdir()
    for name in ("a.JPG", "b.jfif", "c.png", "d.txt", ".e.jpg", os.fsdecode(b"\xe9.jpg")):
        (tmp_path / "jpg" / name).touch()
    benchmark = read_benchmark(None, tmp_path, photos=tmp_path / "jpg")
    assert benchmark.index_ids == ("a", "b", "c")
    assert "1 .txt (no images; first d.txt)" in caplog.text


def test_missing_images_stay_in_the_list(locator):
    _, index = benchmark_images(BENCHMARK_IMAGES_GLDV2, locator, crop=True)
    assert [(image.id, image.path.exists()) for image in index] == [("a", True), ("b", False)]


OXFORD_NAMES = [f"all_souls_{n:06d}" for n in range(5)]
PARIS = [f"paris_louvre_{n:06d}" for n in range(4)]
TEXTS = {"query": "1 2 30 40", "good": "{2}", "ok": "{1}", "junk": "{3}"}


@pytest.fixture
def prepare(serve, tmp_path):
    def run(source, site, **flags):
        return run_script("experiments.prepare", source=source, data_dir=tmp_path, mirror=serve(site).url, **flags)
    return run


def texts(prefix, names):
    made = {f"gt/{names[2]}_{kind}.txt": text.format(*names).encode() + b"\n" for kind, text in TEXTS.items()}
    made[f"gt/{names[2]}_query.txt"] = f"{prefix}{names[2]} {TEXTS['query']}\n".encode()
    return tar_bytes(made, gzipped=True)


OXFORD_SITE = {
    "/~vgg/data/oxbuildings/oxbuild_images-v1.tgz": tar_bytes(
        {f"{name}.jpg": picture_bytes(n) for n, name in enumerate(OXFORD_NAMES)}, gzipped=True),
    "/~vgg/data/oxbuildings/gt_files_170407.tgz": texts("oxc1_", OXFORD_NAMES)}
PARIS_SITE = {
    "/~vgg/data/parisbuildings/paris_1-v1.tgz": tar_bytes(
        {f"paris/louvre/{name}.jpg": picture_bytes(n) for n, name in enumerate(PARIS)}, gzipped=True),
    "/~vgg/data/parisbuildings/paris_2-v1.tgz": tar_bytes(
        {"paris/louvre/paris_louvre_000136.jpg": b"<html>", "paris/eiffel/paris_eiffel_000001.jpg": picture_bytes(9)},
        gzipped=True),
    "/~vgg/data/parisbuildings/paris_120310.tgz": texts("", PARIS)}


def located(folder):
    benchmark = read_benchmark(folder)
    queries, index = benchmark_images(benchmark, ImageLocator(folder), crop=False)
    assert all(image.path.is_file() for image in (*queries, *index))
    return benchmark


def test_oxford5k(prepare, tmp_path):
    done = prepare("oxford5k", OXFORD_SITE)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("6 photographs")
    benchmark = located(tmp_path / "oxford5k")
    assert benchmark.index_ids == tuple(OXFORD_NAMES)
    assert benchmark.query_ids == (OXFORD_NAMES[2],)
    assert benchmark.split(0, benchmark.MAIN_GRADE) == ({1, 2}, {3})


def test_paris6k_without_the_corrupt_ones(prepare, tmp_path):
    assert prepare("paris6k", PARIS_SITE).code == 0
    assert located(tmp_path / "paris6k").index_ids == ("paris_eiffel_000001", *PARIS)
    assert (tmp_path / "paris6k/skipped.csv").read_text().splitlines()[1:] == [
        "paris_louvre_000136,paris6k/jpg/paris_louvre_000136.jpg,one of the 20 files of Paris6k that hold an error page"]


def test_roxford5k_shares_the_images(prepare, tmp_path):
    truth = {"imlist": [*OXFORD_NAMES[1:], "gone_000001"], "qimlist": OXFORD_NAMES[:1],
             "gnd": [{"bbx": [1.0, 2.0, 30.0, 40.0], "easy": [0], "hard": [1], "junk": [2]}]}
    site = {**OXFORD_SITE, "/revisitop/data/datasets/roxford5k/gnd_roxford5k.pkl": pickle.dumps(truth)}
    for _ in range(2):
        assert prepare("roxford5k", site).code == 0
    benchmark = read_benchmark(tmp_path / "roxford5k")
    assert benchmark.query_ids == (OXFORD_NAMES[0],)
    assert ImageLocator(tmp_path / "roxford5k").locate(OXFORD_NAMES[3]).is_file()
    assert (tmp_path / "roxford5k/skipped.csv").read_text().splitlines()[1:] == [
        "gone_000001,roxford5k/jpg/gone_000001.jpg,missing"]
    assert prepare("oxford5k", {"/~vgg/data/oxbuildings/gt_files_170407.tgz": texts("oxc1_", OXFORD_NAMES)}).code == 0


def test_a_pickle_with_code_is_not_run(prepare, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "evil"), "w"))
    site = {**OXFORD_SITE, "/revisitop/data/datasets/roxford5k/gnd_roxford5k.pkl": pickle.dumps(Evil())}
    failed = prepare("roxford5k", site)
    assert failed.code == 2
    assert "could call code" in failed.stderr
    assert not (tmp_path / "evil").exists()


def test_gldv2_index_and_queries(prepare, tmp_path):
    site, ids = gldv2_benchmark_site()
    done = prepare("gldv2_benchmark", site, archives=2)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("7 photographs; measure a model with experiments.evaluate --benchmark=")
    benchmark = located(tmp_path / "gldv2")
    assert benchmark.index_ids == tuple(ids["index"])
    assert benchmark.query_ids == (ids["test"][0],)


def test_distractors(prepare, tmp_path):
    names = ["0d3/a/x.jpg", "0d4/b/y.jpg", "0d5/c/z.jpg"]
    site = {"/revisitop/revisitop1m/revisitop1m.txt": "\n".join(names).encode()}
    for n, name in enumerate(names[:2], start=1):
        site[f"/revisitop/revisitop1m/jpg/revisitop1m.{n}.tar.gz"] = tar_bytes({name: picture_bytes(n)}, gzipped=True)
    done = prepare("revisitop1m", site, archives=2)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("2 photographs")
    assert (tmp_path / "revisitop1m/skipped.csv").read_text().splitlines()[1:] == [
        "0d5/c/z.jpg,revisitop1m/jpg/0d5/c/z.jpg,missing"]


def test_a_linked_archive_is_refused(prepare, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        link = tarfile.TarInfo("jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
    failed = prepare("oxford5k", {**OXFORD_SITE, "/~vgg/data/oxbuildings/oxbuild_images-v1.tgz": buffer.getvalue()})
    assert failed.code == 2
    assert "no plain file" in failed.stderr
    assert not (tmp_path / "oxford5k/jpg/jpg").exists()


def test_the_packages_export_what_they_list():
    for package in (landmark_zoo.evaluation, landmark_zoo.report):
        assert set(package.__all__) <= set(dir(package))
        for name in package.__all__:
            assert callable(getattr(package, name)), name
    assert landmark_zoo.evaluation.evaluate is evaluate
