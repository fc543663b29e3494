"""A training run of what stands behind a frozen backbone, on cached feature maps."""

from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.models.on_features import on_features
from landmark_zoo.models.weights_fingerprint import weights_fingerprint
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.feature_cache import FeatureCache
from landmark_zoo.training.grouped_optimizer import Group
from landmark_zoo.training.objectives.classification import Classification
from landmark_zoo.training.pca_start import pca_start
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.trainer import Trainer
from landmark_zoo.training.workdir import claim


def train_on_features(model_config: ModelConfig, config: TrainingConfig, cache: FeatureCache, workdir: str | Path,
                      weights: str | None, sampling: SamplingConfig = SamplingConfig()) -> tf.keras.Model:  # noqa: B008 (frozen)
    """Trains attention, pooling, embedding and head, started from a PCA and the classes' means, as `run_training` would.

    The checkpoints are those of the whole model, so that the folder can be exported like that of any other run. Started
    again, it goes on where it was.

    Args:
        model_config: What is trained, with attention behind the backbone.
        config: How; its `backbone_multiplier` must be 0.
        cache: Feature maps of the backbone with these weights.
        workdir: See `run_training`.
        weights: The backbone's; see `backbones.load_weights`.
        sampling: What the cache must agree with: plain order, its own augmentation.

    Returns:
        The whole model, trained.

    Raises:
        UserError: A cache of another backbone, weights or size, or a setting that needs the photographs at every step.
    """
    check_trainable_on_features(config, sampling, cache)
    workdir = Path(workdir)
    with lock_directory(workdir):
        tf.keras.utils.set_random_seed(config.seed)
        model = model_config.build(cache.manifest.num_classes, weights)
        to_features, from_features = on_features(model)
        if weights_fingerprint(to_features) != cache.weights:
            raise UserError(f"the backbone whose feature maps {cache.directory} holds", f"that of {model_config.model} with "
                            "other weights", "Use the weights of the cache, or make another cache.")
        claim(workdir, model_config, cache.manifest.label_map, {
            "parameters": model.count_params(), "photographs": len(cache.labels), "source": cache.manifest.source},
            config, sampling)
        write_json(workdir / "flags.json", resolved_flags())
        head = model.get_layer(model_config.head)
        objective = Classification(from_features, head)
        groups = [Group("head", from_features.trainable_variables, config.head_multiplier)]
        trainer = Trainer(model, objective, groups, config, workdir, cache.steps_per_epoch(config.batch_size),
                          lambda: pca_start(from_features, head, cache.evaluation_batches(config.batch_size),
                                            seed=config.seed))
        trainer.fit(lambda epoch, skip: cache.epoch(config.batch_size, config.seed, epoch, skip))
    logging.info("Trained %s behind its backbone for %d steps: %s", model_config.model, int(trainer.step), workdir)
    return model


def check_trainable_on_features(config: TrainingConfig, sampling: SamplingConfig, cache: FeatureCache) -> None:
    """Raises a `UserError` where a recipe asks for what feature maps computed beforehand cannot give."""
    views = cache.views
    for expected, received in (
            ({"backbone_multiplier": 0.0}, config), ({"image_size": views.image_size, "image_sizes": ""}, config),
            ({"precision": "float32"}, config), ({"sampler": "shuffled", "augmentation": views.augmentation}, sampling)):
        for flag, value in expected.items():
            if getattr(received, flag) != value:
                raise UserError(f"--{flag}={value} with cached feature maps, whose backbone is frozen and whose "
                                f"{views.count} views of each photograph are fixed ({views.augmentation}, "
                                f"{views.image_size} pixels)",
                                f"--{flag}={getattr(received, flag)}", "Train end to end, or make another cache.")
