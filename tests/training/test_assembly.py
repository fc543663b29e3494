"""The parts of a recipe together."""

import dataclasses

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.training.assembly import Assembly, check_start
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.objectives.embedding_pairs import EmbeddingPairs
from landmark_zoo.training.place import Place
from landmark_zoo.training.sampling import SamplingConfig

CLASSIFICATION, SHUFFLED, PAIRS = ObjectiveConfig(), SamplingConfig(), SamplingConfig("classes_by_images")


@pytest.fixture
def assemble(records, model_config, config, tmp_path):
    def make(objective=CLASSIFICATION, sampling=SHUFFLED, **change):
        return Assembly(model_config, dataclasses.replace(config, **change), objective, sampling,
                        read_manifest(records / "train"), None, tmp_path)
    return make


def test_a_head_only_where_it_is_needed(assemble):
    assert assemble().head.num_classes == 4
    without = assemble(ObjectiveConfig("contrastive"), PAIRS)
    assert without.head is None
    assert without.model_config.head == "none"
    assert "logits" not in without.model.output_shape
    both = assemble(ObjectiveConfig("contrastive", classification_weight=0.5), PAIRS)
    assert isinstance(both.objective, EmbeddingPairs)
    assert both.head.num_classes == 4


def test_first_batch_is_full(assemble):
    images, labels = assemble(batch_size=40).first_batch()
    assert (images.shape, labels.shape) == ((40, 32, 32, 3), (40,))


def test_parts_of_a_batch_hold_whole_groups(assemble):
    with pytest.raises(UserError, match="a --batch_size of 4 n for --sampler=classes_by_images, n >= 2; received 4"):
        assemble(ObjectiveConfig("contrastive"), PAIRS, accumulate=2)


def test_a_batch_that_the_devices_do_not_divide(assemble, monkeypatch):
    monkeypatch.setattr(Place, "here", lambda: Place(replicas=3))
    with pytest.raises(UserError, match="a --batch_size that 3 devices and --accumulate=2 divide; received 16"):
        assemble(batch_size=16, accumulate=2)


def test_pairs_of_a_whole_batch_on_several_devices(assemble, monkeypatch):
    monkeypatch.setattr(Place, "here", lambda: Place(replicas=2))
    with pytest.raises(UserError, match="--accumulate=1 for --objective=contrastive on 2 devices; received 2"):
        assemble(ObjectiveConfig("contrastive"), PAIRS, batch_size=16, accumulate=2)


def test_pca_without_a_head(assemble):
    parts = assemble(ObjectiveConfig("contrastive"), PAIRS)
    before = parts.model.get_layer("embedding").get_weights()
    parts.start("pca", None)
    assert not np.array_equal(before[0], parts.model.get_layer("embedding").get_weights()[0])


def test_who_starts_at_chance(assemble):
    assert assemble().starts_at_chance("random", None)
    assert not assemble().starts_at_chance("pca", None)
    assert not assemble().starts_at_chance("random", "another")
    assert not assemble(ObjectiveConfig(label_smoothing=0.1)).starts_at_chance("random", None)


@pytest.mark.parametrize(("embedding", "run", "said"), [
    ("lda", None, "--initial_embedding among random, pca, whitening, clusters; received 'lda'"),
    ("pca", "another", "--initial_embedding=random with --initial_run")])
def test_refused_starts(embedding, run, said):
    with pytest.raises(UserError, match=said):
        check_start(embedding, run)
