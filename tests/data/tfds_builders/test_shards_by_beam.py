from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.shards import write_records
from landmark_zoo.data.tfds_builders import shards_by_beam as module
from landmark_zoo.data.tfds_builders.shards_by_beam import shards_by_beam


def content(directory):
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


@pytest.fixture
def photos(photo_folder):
    photos = photo_folder({"a, b": 7, "Ünï": 4})
    (photos / "Ünï/bad.jpg").write_bytes(b"no picture")
    return photos


def write(photos, directory, **options):
    return write_records(read_folder([photos]), directory, split="train", num_shards=3, seed=0, max_side=50, **options)


def test_the_same_bytes_as_without_beam(photos, tmp_path):
    write(photos, tmp_path / "threads")
    write(photos, tmp_path / "beam", write_shards=shards_by_beam)
    assert content(tmp_path / "threads") == content(tmp_path / "beam")


@pytest.mark.slow
def test_the_same_bytes_from_two_processes(photos, tmp_path):
    options = PipelineOptions(["--direct_num_workers=2", "--direct_running_mode=multi_processing"])
    write(photos, tmp_path / "threads")
    write(photos, tmp_path / "beam",
          write_shards=lambda directory, plan, todo: shards_by_beam(directory, plan, todo, options=options))
    assert content(tmp_path / "threads") == content(tmp_path / "beam")


def test_a_second_try_of_the_same_work_changes_nothing(photos, tmp_path, monkeypatch):
    def twice(directory, plan, todo):
        shards_by_beam(directory, plan, todo)
        monkeypatch.setattr(module, "write_shard", None)
        shards_by_beam(directory, plan, todo)

    assert write(photos, tmp_path / "r", write_shards=twice).num_examples == 11
