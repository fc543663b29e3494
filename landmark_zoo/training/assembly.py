"""The parts of a recipe, made to fit each other."""

import dataclasses
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.pipeline import evaluation_dataset
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.epochs import Epochs
from landmark_zoo.training.groups import variable_groups
from landmark_zoo.training.initial_embedding import INITIAL_EMBEDDINGS, initial_embedding
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.objectives.build import build_objective
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.place import Place
from landmark_zoo.training.precision import precision
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.warm_start import warm_start

MOST_PHOTOGRAPHS = 50_000  # that an initial embedding is fitted to: their features must fit into memory


class Assembly:
    """Model, head, objective, variable groups and epochs of a run.

    Args:
        model_config: What is trained.
        config: How.
        objective: On what loss.
        sampling: In what batches.
        manifest: Of the training records.
        weights: The backbone's; see `backbones.load_weights`.
        workdir: The run's folder.

    Attributes:
        model_config: What is trained, without a head where the objective needs none.
        model: Built.
        head: Its head, or None.
        objective: Of `model`.
        groups: Of its variables.
        epochs: Its batches.

    Raises:
        UserError: The parts contradict each other.
    """

    def __init__(self, model_config: ModelConfig, config: TrainingConfig, objective: ObjectiveConfig,
                 sampling: SamplingConfig, manifest: Manifest, weights: str | None, workdir: str | Path):
        replicas = Place.here().replicas
        if config.batch_size % (config.accumulate * replicas):
            raise UserError(f"a --batch_size that {replicas} devices and --accumulate={config.accumulate} divide",
                            str(config.batch_size), "Change one of them.")
        if replicas > 1 and config.accumulate > 1 and OBJECTIVES[objective.objective].batches != "any":
            raise UserError(f"--accumulate=1 for --objective={objective.objective} on {replicas} devices",
                            str(config.accumulate), "Leave --accumulate out.")
        sampling.check(objective, config.batch_size // (config.accumulate * replicas))
        self._manifest, self._config, self._objective = manifest, config, objective
        self.model_config = model_config if objective.has_head else dataclasses.replace(model_config, head="none")
        with precision(config.precision):
            self.model = self.model_config.build(manifest.num_classes, weights)
        self.head = self.model.get_layer(model_config.head) if objective.has_head else None
        self.objective = build_objective(objective, self.model, self.head, manifest.class_counts, sampling.negatives)
        self.groups = variable_groups(self.model, config)
        self.epochs = Epochs(manifest, config, sampling, self.model, workdir)

    def start(self, embedding: str, run: str | None) -> None:
        """Sets the weights that training starts from.

        Args:
            embedding: One of `INITIAL_EMBEDDINGS`.
            run: Folder of another run to start from; None for the backbone's weights.
        """
        if run:
            warm_start(self.model, run, self._manifest.label_map)
        batches = self._photographs().take(-(-MOST_PHOTOGRAPHS // self._config.batch_size))
        initial_embedding(embedding, self.model, self.head, batches, self._config.seed)

    def first_batch(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the first training photographs [B, S, S, 3] as they are, and their labels [B]."""
        return next(iter(self._photographs().unbatch().repeat().batch(self._config.batch_size)))

    def starts_at_chance(self, embedding: str, run: str | None) -> bool:
        """Returns whether the first loss is the plain cross-entropy of a head with random weights."""
        plain = ObjectiveConfig(sampled_classes=self._objective.sampled_classes)
        return (self._objective == plain and "attention_logits" not in self.model.output_shape and embedding != "pca"
                and not run)

    def _photographs(self) -> tf.data.Dataset:
        return evaluation_dataset(self._manifest, image_size=self._config.size_at(0), batch_size=self._config.batch_size)


def check_start(embedding: str, run: str | None) -> None:
    """Raises a `UserError` where a run cannot start so; see `Assembly.start`."""
    if embedding not in INITIAL_EMBEDDINGS:
        raise UserError(f"--initial_embedding among {', '.join(INITIAL_EMBEDDINGS)}", repr(embedding), "Choose one of them.")
    if run and embedding != "random":
        raise UserError("--initial_embedding=random with --initial_run, which brings its own", repr(embedding),
                        "Leave one of them out.")
