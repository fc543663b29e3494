from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig
from landmark_zoo.data.tfds_builders.train_and_validation import train_and_validation


def test_parts(photo_folder):
    parts = train_and_validation(read_folder([photo_folder({"a": 10, "b": 1})]), LandmarkConfig(name="x"))
    assert {name: len(part) for name, part in parts.items()} == {"train": 10, "validation": 1}


def test_nothing_left_for_validation(photo_folder):
    assert set(train_and_validation(read_folder([photo_folder({"a": 1, "b": 1})]), LandmarkConfig(name="x"))) == {"train"}
