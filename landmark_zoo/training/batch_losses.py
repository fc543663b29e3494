"""Loss and accuracy of a batch, one class for each kind of objective; `objectives.build_objective` chooses among them.

Each is an `objectives.Objective`: (images, labels, training) to losses and correctness, both float32 [B].
"""

import abc
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.heads.softmax import Head, sampled_training_logits
from landmark_zoo.losses.cross_entropy import attention_branch_loss, delg_loss, softmax_cross_entropy
from landmark_zoo.losses.distillation import embedding_loss, similarity_loss
from landmark_zoo.losses.tuples import second_order_similarity
from landmark_zoo.training.distributed.collectives import all_gather


class ModelObjective(abc.ABC):
    """Objective in two halves, what a model makes of the images and the loss of that, so that another loss can be added.

    Attributes:
        model: Model that is trained.
    """

    model: tf.keras.Model

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns losses and correctness, both float32 [B]; see `losses_and_correct`."""
        return self.losses_and_correct(self.outputs(images, training), labels, training)

    def outputs(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Returns what the losses are computed from, "embedding" [B, D] among it."""
        return self.model(images, training=training)

    @abc.abstractmethod
    def losses_and_correct(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor,
                           training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns losses and correctness, both float32 [B], of `outputs`."""


class Classification(ModelObjective):
    """Cross-entropy of a classifier: with the head's margin in training, and accuracy without margin.

    Args:
        model: Model with output "logits"; see `models.build_model`.
        head: Layer of the model that gives the logits.
        label_smoothing: Probability spread evenly over all classes; see `softmax_cross_entropy`.
        branch_weights: Weights alpha and beta of the two losses of an Attention Branch Network.
        class_weights: float [N], factor of the losses of each class's images; None for 1.
        sampled_classes: Number of classes in the softmax of a training step; 0 for all. Accuracy in training is then among
            them, margin included.
    """

    def __init__(self, model: tf.keras.Model, head: Head, label_smoothing: float = 0.0,
                 branch_weights: tuple[float, float] = (1.0, 1.0), class_weights: np.ndarray | None = None,
                 sampled_classes: int = 0):
        self.model, self.head, self.label_smoothing, self.branch_weights = model, head, label_smoothing, branch_weights
        self.class_weights, self.sampled_classes = class_weights, sampled_classes
        self._to_head = tf.keras.Model(model.input, {"embedding": model.output["embedding"],
                                                     "vectors": head.get_input_at(-1)}) if sampled_classes else None

    def outputs(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Returns the model's outputs, or in training with sampled classes the vectors before the head and a seed."""
        if training and self.sampled_classes:
            return {**self._to_head(images, training=True), "seed": _seed(images)}
        return super().outputs(images, training)

    def losses_and_correct(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor,
                           training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss and whether the largest logit is the label's, both float32 [B]."""
        if training and self.sampled_classes:
            return self._sampled(outputs, labels)
        return self.losses(outputs, labels, training), self.correct(outputs, labels)

    def losses(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor, training: bool) -> tf.Tensor:
        """Returns the cross-entropies float32 [B] of the model's outputs, over all classes."""
        logits = self.head.training_logits(outputs["logits"], labels) if training else outputs["logits"]
        if "attention_logits" in outputs and "reconstruction_error" not in outputs:
            losses = attention_branch_loss(labels, outputs["attention_logits"], logits, *self.branch_weights,
                                           self.label_smoothing)
        else:
            losses = softmax_cross_entropy(labels, logits, self.label_smoothing)
        return self._weighted(losses, labels)

    def correct(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        """Returns float32 [B]: 1 where the largest of the model's logits is the label's."""
        return _is_correct(outputs["logits"], labels)

    def _sampled(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits, positions = sampled_training_logits(self.head, outputs["vectors"], labels, self.sampled_classes,
                                                    outputs["seed"])
        losses = softmax_cross_entropy(positions, logits, self.label_smoothing)
        return self._weighted(losses, labels), _is_correct(logits, positions)

    def _weighted(self, losses: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        if self.class_weights is None:
            return losses
        return losses * tf.gather(tf.constant(self.class_weights, tf.float32), labels)


def _is_correct(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels, tf.float32)


def _seed(images: tf.Tensor) -> tf.Tensor:
    """Returns a seed int32 [2] from a batch's pixels: each step draws other classes, a resumed step the same."""
    return tf.bitcast(tf.reduce_sum(tf.cast(images, tf.int64)), tf.int32)


class Delg(ModelObjective):
    """Cross-entropy of the global embedding, cross-entropy of the attended local features, and their reconstruction error.

    Cao, Araujo, Sim: Unifying Deep Local and Global Features for Image Search, ECCV 2020, section 3.3. The model itself
    stops the gradients of the last two before the backbone.

    Args:
        model: Model `<backbone>_delg`; see `models.delg`.
        classification: Cross-entropy of the global embedding.
        attention_weight: Weight of the local features' cross-entropy; 1 in the authors' code.
        reconstruction_weight: Weight of the squared reconstruction error; 10 in the authors' code.
    """

    def __init__(self, model: tf.keras.Model, classification: Classification, attention_weight: float = 1.0,
                 reconstruction_weight: float = 10.0):
        self.model, self.classification = model, classification
        self.attention_weight, self.reconstruction_weight = attention_weight, reconstruction_weight

    def losses_and_correct(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor,
                           training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss and whether the largest global logit is the label's, both float32 [B]."""
        attention_losses = softmax_cross_entropy(labels, outputs["attention_logits"])
        losses = delg_loss(self.classification.losses(outputs, labels, training), attention_losses,
                           outputs["reconstruction_error"], self.attention_weight, self.reconstruction_weight)
        return losses, self.classification.correct(outputs, labels)


class EmbeddingPairs(ModelObjective):
    """Loss on all pairs of embeddings of a batch, plus cross-entropy where there is a head.

        w CE + (1 - w) loss(embeddings, labels)

    w = 1/2 gives .5 CE + .5 contrastive, as in experiments E3 and E4 of arXiv:2208.04201. In training the pairs are those of
    the whole batch, over all replicas.

    Args:
        model: Model with output "embedding"; see `models.build_model`.
        loss: Function of embeddings float32 [B, D] and labels int [B]; returns a scalar.
        classification: Cross-entropy of the head; None without a head.
        classification_weight: Weight w of the cross-entropy.
    """

    def __init__(self, model: tf.keras.Model, loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
                 classification: Classification | None = None, classification_weight: float = 0.0):
        self.model, self.loss = model, loss
        self.classification, self.weight = classification, classification_weight

    def losses_and_correct(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor,
                           training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss and whether the nearest other image of the batch has the same label, both float32 [B]."""
        embeddings, all_labels = outputs["embedding"], labels
        if training:
            embeddings, all_labels = all_gather(embeddings), all_gather(labels)
        losses = tf.fill(tf.shape(labels), self.loss(embeddings, all_labels))
        if self.classification is not None:
            cross_entropy = self.classification.losses(outputs, labels, training)
            losses = self.weight * cross_entropy + (1 - self.weight) * losses
        correct = nearest_has_same_label(embeddings, all_labels)
        return losses, correct if all_labels is labels else tf.fill(tf.shape(labels), tf.reduce_mean(correct))


def nearest_has_same_label(embeddings: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Returns float32 [B]: 1 where the nearest other embedding has the same label, by dot product; 0 in a batch of one."""
    similarities = tf.linalg.set_diag(embeddings @ tf.transpose(embeddings), tf.fill(tf.shape(labels), -float("inf")))
    nearest = tf.argmax(similarities, axis=1, output_type=tf.int32)
    others = nearest != tf.range(tf.size(labels))
    return tf.cast(others & (tf.gather(labels, nearest) == labels), tf.float32)


class Tuples:
    """Loss of each tuple of query, positive and N negatives, plus second-order similarity where its weight is not 0.

        loss(tuple) + lambda SOS(all tuples of the batch)

    The authors' code sums over the tuples of a step, whereas here the step takes the mean: their learning rate corresponds
    to (tuples per step) times ours.

    Args:
        model: Model with output "embedding"; see `models.build_model`.
        loss: Function of embeddings float32 [T, 2 + N, D]; returns float32 [T].
        negatives: Number N of negatives in a tuple.
        sos_weight: Weight lambda of the second-order similarity; 0 leaves the term out.
    """

    def __init__(self, model: tf.keras.Model, loss: Callable[[tf.Tensor], tf.Tensor], negatives: int,
                 sos_weight: float = 0.0):
        self.model, self.loss, self.length, self.sos_weight = model, loss, 2 + negatives, sos_weight

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the losses of T tuples, and whether each positive is nearer to its query than every negative.

        Args:
            images: [B, H, W, 3], B = T (2 + N): query, positive, negatives, next query, ...
            labels: Not used.
            training: Whether the model is trained.

        Returns:
            (losses, correct), float32 [B]: the values of each tuple, repeated for its images.
        """
        del labels
        embeddings = self.model(images, training=training)["embedding"]
        tuples = tf.reshape(embeddings, [-1, self.length, embeddings.shape[-1]])
        losses = self.loss(tuples)
        if self.sos_weight:
            gathered = all_gather(embeddings) if training else embeddings
            losses += self.sos_weight * second_order_similarity(tf.reshape(gathered, [-1, self.length, gathered.shape[-1]]))
        similarities = tf.einsum("td,tnd->tn", tuples[:, 0], tuples[:, 1:])
        correct = tf.cast(similarities[:, 0] > tf.reduce_max(similarities[:, 1:], axis=1), tf.float32)
        return tf.repeat(losses, self.length), tf.repeat(correct, self.length)


class Distillation:
    """Loss on a teacher's embeddings beside another objective, from one pass of the student.

        (1 - w) objective + w distillation

    The distillation is `embedding_loss`, `similarity_loss` or their sum. Similarities are those within the whole batch, over
    all replicas. Without targets, as in validation, the loss is the objective's alone.

    Args:
        objective: Objective of the labels.
        kind: "embedding", "similarity" or "both".
        weight: Weight w.
    """

    def __init__(self, objective: ModelObjective, kind: str, weight: float):
        self.objective, self.kind, self.weight = objective, kind, weight

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool,
                 targets: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns losses, and the correctness that the objective reports, both float32 [B].

        Args:
            images: [B, H, W, 3].
            labels: int [B].
            training: Whether the model is trained.
            targets: Teacher's embeddings of the images, [B, E] of length 1.
        """
        outputs = self.objective.outputs(images, training)
        losses, correct = self.objective.losses_and_correct(outputs, labels, training)
        if targets is None:
            return losses, correct
        return (1 - self.weight) * losses + self.weight * self._distilled(outputs["embedding"], targets), correct

    def _distilled(self, embeddings: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        losses = tf.zeros(tf.shape(embeddings)[:1])
        if self.kind != "similarity":
            losses += embedding_loss(embeddings, targets)
        if self.kind != "embedding":
            losses += similarity_loss(all_gather(embeddings), all_gather(targets))
        return losses
