"""The loss of DELG (Cao, Araujo, Sim: Unifying Deep Local and Global Features for Image Search, ECCV 2020, section 3.3;
weights from the authors' code)."""

import tensorflow as tf


def delg_loss(global_losses: tf.Tensor, attention_losses: tf.Tensor, reconstruction_errors: tf.Tensor,
              attention_weight: float = 1.0, reconstruction_weight: float = 10.0) -> tf.Tensor:
    """Returns global + attention_weight * attention + reconstruction_weight * reconstruction of each example, in float32.

    Args:
        global_losses: [B], cross-entropies of the global branch, with the head's margin.
        attention_losses: [B], cross-entropies of the local branch.
        reconstruction_errors: [B], mean squared errors of the autoencoder.
        attention_weight: beta.
        reconstruction_weight: lambda.

    Returns:
        float32 [B].
    """
    if attention_weight < 0 or reconstruction_weight < 0:
        raise ValueError("delg_loss: expected attention_weight >= 0 and reconstruction_weight >= 0; "
                         f"received {attention_weight} and {reconstruction_weight}.")
    return (tf.cast(global_losses, tf.float32) + attention_weight * tf.cast(attention_losses, tf.float32)
            + reconstruction_weight * tf.cast(reconstruction_errors, tf.float32))
