"""Writing; that it works is in test_variants.py."""

import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.freeze import freeze
from landmark_zoo.serving.optimise.write_frozen import write_frozen


def test_two_models_from_one_process_and_a_folder_that_exists(save, tmp_path):
    weight = tf.Variable([1.0, 2.0])
    frozen = freeze(save(lambda x: x * weight, [None, 2], [weight]))
    write_frozen(frozen, tmp_path / "first")
    name = next(name for name, array in frozen.weights.items() if array.shape == (2,))
    frozen.weights[name] = frozen.weights[name] * 10
    write_frozen(frozen, tmp_path / "second")
    models = [tf.saved_model.load(str(tmp_path / folder)) for folder in ("first", "second")]
    found = [model.signatures["serving_default"](x=tf.ones([1, 2]))["y"].numpy().tolist() for model in models]
    assert found == [[[1.0, 2.0]], [[10.0, 20.0]]]
    with pytest.raises(UserError, match="no folder at"):
        write_frozen(frozen, tmp_path / "first")
