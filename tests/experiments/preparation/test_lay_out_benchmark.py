import io
import pickle
import tarfile

import pytest

from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.read_benchmark import read_benchmark
from tests.data.download.archives import gldv2_benchmark_site, picture_bytes, tar_bytes
from tests.experiments.run_script import run_script

OXFORD = [f"all_souls_{n:06d}" for n in range(5)]
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
        {f"{name}.jpg": picture_bytes(n) for n, name in enumerate(OXFORD)}, gzipped=True),
    "/~vgg/data/oxbuildings/gt_files_170407.tgz": texts("oxc1_", OXFORD)}
PARIS_SITE = {
    "/~vgg/data/parisbuildings/paris_1-v1.tgz": tar_bytes(
        {f"paris/louvre/{name}.jpg": picture_bytes(n) for n, name in enumerate(PARIS)}, gzipped=True),
    "/~vgg/data/parisbuildings/paris_2-v1.tgz": tar_bytes(
        {"paris/louvre/paris_louvre_000136.jpg": b"<html>", "paris/eiffel/paris_eiffel_000001.jpg": picture_bytes(9)},
        gzipped=True),
    "/~vgg/data/parisbuildings/paris_120310.tgz": texts("", PARIS)}


def located(folder):
    benchmark = read_benchmark(folder)
    queries, index = benchmark_pictures(benchmark, ImageLocator(folder), crop=False)
    assert all(picture.path.is_file() for picture in (*queries, *index))
    return benchmark


def test_oxford5k(prepare, tmp_path):
    done = prepare("oxford5k", OXFORD_SITE)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("6 photographs")
    benchmark = located(tmp_path / "oxford5k")
    assert benchmark.index_ids == tuple(OXFORD)
    assert benchmark.query_ids == (OXFORD[2],)
    assert benchmark.split(0, benchmark.MAIN_GRADE) == ({1, 2}, {3})


def test_paris6k_without_the_corrupt_ones(prepare, tmp_path):
    assert prepare("paris6k", PARIS_SITE).code == 0
    assert located(tmp_path / "paris6k").index_ids == ("paris_eiffel_000001", *PARIS)
    assert (tmp_path / "paris6k/skipped.csv").read_text().splitlines()[1:] == [
        "paris_louvre_000136,paris6k/jpg/paris_louvre_000136.jpg,one of the 20 files of Paris6k that hold an error page"]


def test_roxford5k_shares_the_photographs(prepare, tmp_path):
    truth = {"imlist": [*OXFORD[1:], "gone_000001"], "qimlist": OXFORD[:1],
             "gnd": [{"bbx": [1.0, 2.0, 30.0, 40.0], "easy": [0], "hard": [1], "junk": [2]}]}
    site = {**OXFORD_SITE, "/revisitop/data/datasets/roxford5k/gnd_roxford5k.pkl": pickle.dumps(truth)}
    for _ in range(2):
        assert prepare("roxford5k", site).code == 0
    benchmark = read_benchmark(tmp_path / "roxford5k")
    assert benchmark.query_ids == (OXFORD[0],)
    assert ImageLocator(tmp_path / "roxford5k").locate(OXFORD[3]).is_file()
    assert (tmp_path / "roxford5k/skipped.csv").read_text().splitlines()[1:] == [
        "gone_000001,roxford5k/jpg/gone_000001.jpg,missing"]
    assert prepare("oxford5k", {"/~vgg/data/oxbuildings/gt_files_170407.tgz": texts("oxc1_", OXFORD)}).code == 0


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
