"""Small source folders in their real layout, and tfds builds of them."""

import json

import pytest
import tensorflow_datasets as tfds

from landmark_zoo.data.tfds.builders import BUILDERS


@pytest.fixture
def build(tmp_path):
    """build("gldv2", photos, config=None) -> the prepared builder, two files per split."""
    def make(name, photos, config=None):
        builder = BUILDERS[name](data_dir=tmp_path / "tfds", config=config)
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(
            manual_dir=photos, num_shards=2, try_download_gcs=False))
        return builder
    return make


@pytest.fixture
def put(tmp_path, make_image, encode):
    """put("a/b.jpg", ...) -> the folder with images under these names."""
    def make(*names, **options):
        for number, name in enumerate(names):
            path = tmp_path / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(make_image(40, 60, seed=number), **options))
        return tmp_path / "source"
    return make


@pytest.fixture
def put_json(tmp_path):
    """put_json("name.json", facts) writes a list beside the images."""
    def make(name, facts):
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source" / name).write_text(json.dumps(facts))
    return make


@pytest.fixture
def gldv2(put):
    """Google Landmarks v2: landmarks 1 (12 images) and 2 (10), of which the clean list has 10 and 10."""
    rows = [(f"{number:03x}{number:013x}", landmark) for number, landmark in enumerate([1] * 12 + [2] * 10)]
    root = put(*(f"train/{i[0]}/{i[1]}/{i[2]}/{i}.jpg" for i, _ in rows))
    (root / "train.csv").write_text("id,url,landmark_id\n" + "".join(f"{i},u,{shows}\n" for i, shows in rows))
    (root / "train_clean.csv").write_text("landmark_id,images\n" + "".join(
        f"{landmark},{' '.join(i for i, shows in rows[2:] if shows == landmark)}\n" for landmark in (1, 2)))
    return root
