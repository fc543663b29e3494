import hashlib
import re
import signal
import subprocess
import sys
import time

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.registry import DATASETS, read_images
from landmark_zoo.data.manifest import read_manifest
from tests.data.download.archives import gldv2_benchmark_site, gldv2_site, picture_bytes, tar_bytes
from tests.run_script import run_script


@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if dataset.source])
def test_sources_are_well_formed(name):
    source = DATASETS[name].source(name)
    assert source.name == name
    paths = [file.path for file in source.files]
    assert len(set(paths)) == len(paths)
    assert len({file.url for file in source.files}) == len(paths)
    for file in source.files:
        assert file.about_bytes > 0
        assert re.fullmatch(r"https?://[\w.]+/[\w./~-]+", file.url)


def test_unknown_names_and_datasets_with_other_readers():
    with pytest.raises(UserError, match="gldv2"):
        DATASETS["gldv3"]
    with pytest.raises(UserError, match=r"a dataset with one image list \(folder, table, gldv2_clean, gldv2, gldv1\)"):
        read_images("oxford5k", ["x"])


def test_read_images_by_name(tmp_path):
    for landmark in ("a", "b"):
        (tmp_path / "folder" / landmark).mkdir(parents=True)
        (tmp_path / "folder" / landmark / f"{landmark}1.jpg").write_bytes(b"x")
    (tmp_path / "list.csv").write_text("name,file,place\na1,folder/a/a1.jpg,here\n")
    assert read_images("folder", [tmp_path / "folder"]).landmark_counts == {"a": 1, "b": 1}
    table = [tmp_path / "list.csv"]
    assert read_images("table", table, columns=["name", "file", "place"]).landmark_counts == {"here": 1}
    with pytest.raises(UserError, match="three --columns"):
        read_images("table", table, columns=["name"])
    with pytest.raises(UserError, match="one --photos for source gldv2"):
        read_images("gldv2", [tmp_path, tmp_path])


@pytest.fixture
def prepare(tmp_path):
    def run(source, server, **flags):
        return run_script("experiments.prepare", source=source, data_dir=tmp_path / "data", mirror=server.url, max_side=32,
                          **{"timeout": 1, "num_shards": 3, **flags})
    return run


def record_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.tfrecord"))}


@pytest.mark.slow
def test_prepare_gldv2_under_server_faults_equals_prepare_without(serve, prepare, tmp_path):
    site, shows = gldv2_site(train_archives=6)
    server = serve(site)
    for number, fault in enumerate(("cut", "corrupt", "503", "slow", "whole", "html")):
        server.plan(f"/google-landmark/train/images_{number:03d}.tar", fault)
    server.plan("/google-landmark/metadata/train.csv", "cut", "503")
    server.plan("/google-landmark/md5sum/train/md5.images_001.txt", "503")
    done = prepare("gldv2_clean", server, archives=6)
    assert done.code == 0, done.stderr
    train = read_manifest(tmp_path / "data/records/gldv2_clean/train")
    assert train.num_examples + read_manifest(train.directory.parent / "validation").num_examples == sum(
        landmark != "400" for landmark in shows.values())
    assert len(train.shards) == 3

    stormy = record_bytes(tmp_path / "data/records")
    (tmp_path / "data").rename(tmp_path / "stormy")
    assert prepare("gldv2_clean", serve(site), archives=6).code == 0
    assert record_bytes(tmp_path / "data/records") == stormy

    before = len(server.requests)
    (tmp_path / "data").rename(tmp_path / "quiet")
    (tmp_path / "stormy").rename(tmp_path / "data")
    assert prepare("gldv2_clean", server, archives=6).code == 0
    assert len(server.requests) == before


def test_dry_run_writes_nothing(serve, prepare, tmp_path):
    site, _ = gldv2_site()
    done = prepare("gldv2", serve(site), archives=4, dry_run=True)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("gldv2: 9 files to fetch, ")
    assert "of one connection" in done.stdout
    assert not (tmp_path / "data").exists()


def test_prepare_excludes_landmarks(serve, prepare, tmp_path):
    site, _ = gldv2_site(images=21)
    server = serve(site)
    missing = prepare("gldv2_clean", server, archives=4, exclude="rgldv2")
    assert missing.code == 2
    assert "Error: Expected the list RGLDv2-clean" in missing.stderr
    clean = site["/google-landmark/metadata/train_clean.csv"].decode().splitlines()
    (tmp_path / "data/gldv2/rgldv2_clean.csv").write_text("\n".join(line for line in clean if not line.startswith("100,")))
    done = prepare("gldv2_clean", server, archives=4, exclude="rgldv2", validation_fraction=0)
    assert done.code == 0, done.stderr
    assert list(read_manifest(tmp_path / "data/records/gldv2_clean/train").label_map) == ["0", "200", "300"]
    (tmp_path / "bad.csv").write_text("landmark_id\n200\n")
    done = prepare("gldv2_clean", server, archives=4, exclude=tmp_path / "bad.csv", output=tmp_path / "out", top_classes=2)
    assert done.code == 0, done.stderr
    assert list(read_manifest(tmp_path / "out/train").label_map) == ["0", "100"]


def test_prepare_some_archives_lists_missing_images(serve, prepare, tmp_path):
    site, _ = gldv2_site()
    assert prepare("gldv2", serve(site), archives=1, validation_fraction=0).code == 0
    records = tmp_path / "data/records/gldv2"
    assert read_manifest(records / "train").num_examples == 6
    assert len((records / "missing.csv").read_text().split()) == 1 + 18


def test_unsafe_archive_ends_the_command_and_touches_nothing(serve, prepare, tmp_path):
    site, _ = gldv2_site()
    site["/google-landmark/train/images_002.tar"] = tar_bytes({"0/0/0/x.jpg": b"x", "../../../../evil.jpg": b"x"})
    site["/google-landmark/md5sum/train/md5.images_002.txt"] = hashlib.md5(
        site["/google-landmark/train/images_002.tar"]).hexdigest().encode()
    failed = prepare("gldv2", serve(site), archives=4)
    assert failed.code == 2
    assert "evil.jpg" in failed.stderr.strip().splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert not list(tmp_path.rglob("evil*"))
    assert not (tmp_path / "data/records").exists()


def test_prepare_gldv1_from_its_addresses(serve, prepare, tmp_path):
    server = serve({f"/p/{n}.jpg": picture_bytes(n) for n in range(12)})
    server.always("html", "/p/3.jpg")
    (tmp_path / "data/gldv1").mkdir(parents=True)
    (tmp_path / "data/gldv1/train.csv").write_text('"id","url","landmark_id"\n' + "".join(
        f'"id{n}","{server.url}/p/{n}.jpg",{"7" if n < 6 else "8" if n < 12 else "9"}\n' for n in range(13)))
    dry = prepare("gldv1", server, dry_run=True)
    assert "13 photographs from 1 servers" in dry.stdout
    done = prepare("gldv1", server, top_classes=2, validation_fraction=0.2)
    assert done.code == 0, done.stderr
    records = tmp_path / "data/records/gldv1"
    assert read_manifest(records / "train").class_counts == (4, 5)
    assert read_manifest(records / "validation").class_counts == (1, 1)
    assert "id3," in (tmp_path / "data/gldv1/dead.csv").read_text()
    assert server.gets("/p/12.jpg") == []


def test_nodownload_takes_existing_files(serve, prepare, tmp_path):
    site, _ = gldv2_site()
    server = serve(site)
    assert "Error: Expected train.csv" in prepare("gldv2", server, download=False).stderr
    assert server.requests == []


@pytest.mark.parametrize("flags", [{"source": "gldv2"}, {"source": "folder", "data_dir": "x"}, {"photos": "x"},
                                   {"source": "oxford5k", "photos": "x", "output": "y"}])
def test_missing_flags(flags):
    failed = run_script("experiments.prepare", **flags)
    assert failed.code == 2
    assert failed.stderr.startswith("Error: Expected --")


@pytest.mark.slow
def test_interrupt_keeps_finished_archives(serve, root, tmp_path):
    site, _ = gldv2_benchmark_site()
    server = serve(site)
    server.always("silent", "/google-landmark/index/images_001.tar")
    command = [sys.executable, "-m", "experiments.prepare", "--source=gldv2_benchmark", f"--data_dir={tmp_path}",
               f"--mirror={server.url}", "--archives=2", "--timeout=2"]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a job behind & ignores it
    unpacked = tmp_path / "gldv2/.archives/index/images_000.tar.unpacked.json"
    while not (unpacked.exists() and server.gets("/google-landmark/index/images_001.tar")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.stderr.read().endswith("Interrupted: start the same command again to continue.\n")
    server.heal()
    assert subprocess.run(command, cwd=root, capture_output=True, timeout=60).returncode == 0
    assert len(server.gets("/google-landmark/index/images_000.tar")) == 1
