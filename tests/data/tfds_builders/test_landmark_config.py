from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig


def test_another_size_is_another_name():
    config = LandmarkConfig(name="clean", seed=3)
    assert config.with_max_side(512) is config
    other = config.with_max_side(256)
    assert (other.name, other.max_side, other.seed, config.name) == ("clean-256", 256, 3, "clean")
