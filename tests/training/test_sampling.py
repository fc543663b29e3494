"""Samplers that cannot be, alone or with an objective, are refused with the flag's name."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.sampling import SamplingConfig


@pytest.mark.parametrize(("settings", "said"), [
    ({"sampler": "random"}, "--sampler among shuffled, balanced"),
    ({"augmentation": "wild"}, "--augmentation among .*default"),
    ({"images_per_class": 1}, "--images_per_class >= 2; received 1"), ({"negatives": 0}, "--negatives >= 1"),
    ({"balance_exponent": 1.5}, "--balance_exponent from 0 to 1; received 1.5")])
def test_refused(settings, said):
    with pytest.raises(UserError, match=said):
        SamplingConfig(**settings)


@pytest.mark.parametrize(("sampler", "objective", "batch_size", "said"), [
    ("shuffled", "tuple_triplet", 14, "mined_tuples with an objective on tuples, and only there; received --sampler=shuff"),
    ("mined_tuples", "classification", 14, "received --sampler=mined_tuples with --objective=classification"),
    ("mined_tuples", "contrastive", 14, "received --sampler=mined_tuples with --objective=contrastive"),
    ("balanced", "triplet_hard", 8, "--sampler=classes_by_images for --objective=triplet_hard, which needs batches with"),
    ("classes_by_images", "contrastive", 10, r"of 4 n for .*, n >= 2; received 10 on each .* Give each e.g. 8"),
    ("classes_by_images", "classification", 4, "n >= 2; received 4 on each .* Give each e.g. 8"),
    ("mined_tuples", "tuple_solar", 32, "of 7 n for --sampler=mined_tuples; received 32 on each .* Give each e.g. 35")])
def test_contradictions(sampler, objective, batch_size, said):
    with pytest.raises(UserError, match=said):
        SamplingConfig(sampler).check(ObjectiveConfig(objective), batch_size)


def test_fewer_sampled_classes_than_pictures():
    with pytest.raises(UserError, match="--sampled_classes >= --batch_size=32; received 8"):
        SamplingConfig().check(ObjectiveConfig(sampled_classes=8), 32)


def test_pairs_that_nobody_mines():
    with pytest.raises(UserError, match="--pairs with --sampler=mined_tuples only; received --sampler=shuffled"):
        SamplingConfig(pairs="pairs.csv").check(ObjectiveConfig(), 8)


@pytest.mark.parametrize(("sampler", "objective", "batch_size"), [
    ("shuffled", "classification", 5), ("aspect_groups", "delg", 5), ("classes_by_images", "classification", 8),
    ("classes_by_images", "contrastive_linear", 8), ("mined_tuples", "tuple_contrastive", 7)])
def test_accepted(sampler, objective, batch_size):
    SamplingConfig(sampler).check(ObjectiveConfig(objective), batch_size)
