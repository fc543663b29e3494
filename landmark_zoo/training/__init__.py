"""Training: from records and a model to checkpoints, under `tf.distribute`.

Reading order:

* `run.py` builds model, objective, parameter groups and batches from the settings, and starts the trainer;
* `trainer.py` is the loop: logging, validation, checkpoints, the end at SIGTERM;
* `train_step.py` takes the gradient of a global batch from micro-batches and replicas; `optimizer.py` clips and applies it;
* `objectives.py` (the table) and `batch_losses.py` (the losses);
* `optimizer.py` (parameter groups, freezing), `schedules.py` (learning rate), `precision.py`, `ema.py`;
* `checkpoints.py`, `history.py`: what a run writes and reads; `model_selection.py`, `unseen_landmarks.py`: which checkpoint
  it keeps, and how far from its start (`interpolation.py`);
* `epoch_data.py` (batches of every epoch, embeddings of a teacher), `sampling.py` (samplers, hard-negative mining);
* `initialization.py`, `warm_start.py`: initial weights;
* `sanity_checks.py`, `dry_runs.py`: checks before the first step, and of a whole recipe;
* `frozen_backbone.py`: training on cached feature maps; `cached_epochs.py`: epochs of any run on them;
* `distributed/`: everything about several machines.

Settings are three frozen dataclasses, each field a flag of `experiments.train`: `config.TrainingConfig`,
`objectives.ObjectiveConfig` and `sampling.SamplingConfig`.
"""

from landmark_zoo.core.keras_version import check_keras_2
from landmark_zoo.core.lazy import attach

check_keras_2()

__getattr__, __dir__, __all__ = attach(__name__, {
    "OBJECTIVES": "landmark_zoo.training.objectives",
    "ObjectiveConfig": "landmark_zoo.training.objectives",
    "PreemptedError": "landmark_zoo.training.trainer",
    "SamplingConfig": "landmark_zoo.training.sampling",
    "Trainer": "landmark_zoo.training.trainer",
    "TrainingConfig": "landmark_zoo.training.config",
    "build_feature_cache": "landmark_zoo.training.frozen_backbone",
    "build_objective": "landmark_zoo.training.objectives",
    "load_weights": "landmark_zoo.training.checkpoints",
    "overfit_run": "landmark_zoo.training.dry_runs",
    "read_history": "landmark_zoo.training.history",
    "run_training": "landmark_zoo.training.run",
    "train_on_features": "landmark_zoo.training.frozen_backbone",
})
