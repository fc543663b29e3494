"""Keras 2 in both TensorFlows: the variable that newer ones read, and the line of a process that took Keras 3 first."""

import os
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.keras_version import VARIABLE, check_keras_2, choose_keras_2

NEWEST = metadata.version("keras").startswith("3.")


@pytest.mark.parametrize(("keras", "value", "left"), [
    ("2.15.0", "1", None), ("2.15.0", "", ""), ("2.15.0", None, None),
    ("3.15.1", "1", "1"), ("3.15.1", "", "1"), ("3.15.1", "0", "1"), ("3.15.1", None, "1")])
def test_the_variable_by_the_keras_that_is_installed(monkeypatch, keras, value, left):
    monkeypatch.setattr(metadata, "version", {"keras": keras}.get)
    monkeypatch.setitem(os.environ, VARIABLE, value or "")
    if value is None:
        monkeypatch.delitem(os.environ, VARIABLE)
    choose_keras_2()
    assert os.environ.get(VARIABLE) == left


@pytest.mark.parametrize("module", [None, SimpleNamespace(keras=SimpleNamespace(__version__="2.15.0")),
                                    SimpleNamespace(keras=SimpleNamespace())], ids=["none yet", "2.15", "tf_keras"])
def test_keras_2_passes(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "tensorflow", module)
    check_keras_2()


def test_keras_3_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(keras=SimpleNamespace(__version__="3.15.1")))
    with pytest.raises(UserError, match=r"tf\.keras of Keras 2; received Keras 3\.15\.1.* Import landmark_zoo before"):
        check_keras_2()


def python(program):
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environ)


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", "import tensorflow as tf; "], ids=["first", "after an unused tensorflow"])
def test_a_process_has_keras_2(before):
    done = python(f"{before}from landmark_zoo.layers.pooling.global_pooling import GeM; import tensorflow as tf; "
                  "print(tf.keras.Model.__module__.partition('.')[0], issubclass(GeM, tf.keras.layers.Layer))")
    assert done.stdout.split() == ["tf_keras" if NEWEST else "keras", "True"], done.stderr


@pytest.mark.slow
def test_a_process_that_used_keras_3_first():
    done = python("import tensorflow as tf; tf.keras.Model; import landmark_zoo.retrieval, landmark_zoo.layers")
    last = (done.stderr.strip().splitlines() or [""])[-1]
    assert done.returncode == NEWEST
    assert not NEWEST or "UserError: Expected tf.keras of Keras 2; received Keras 3." in last
