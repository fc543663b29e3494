"""Which number format a card is made for."""

import tensorflow as tf
from absl import logging

BFLOAT16_FROM = (8, 0)  # compute capability


def card_precision(precision: str) -> str:
    """Returns the policy that `--precision=auto` stands for on this machine, and prints it; other names as they are.

    bfloat16 where all cards have it in their tensor cores (A100 and newer). float32 elsewhere: on the CPU; on P100, which
    has no tensor cores; and on V100 and T4, whose tensor cores want float16 and a loss scale, which must be asked for.
    """
    if precision != "auto":
        return precision
    cards = [tf.config.experimental.get_device_details(card) for card in tf.config.get_visible_devices("GPU")]
    chosen = policy_for([card.get("compute_capability") for card in cards])
    names = ", ".join(f"{card.get('device_name', 'GPU')} ({_version(card.get('compute_capability'))})" for card in cards)
    logging.info("--precision=auto: %s on %s.", chosen, names or "the CPU")
    return chosen


def policy_for(capabilities: list[tuple[int, int] | None]) -> str:
    """Returns "mixed_bfloat16" or "float32" for cards of these compute capabilities; None for one that does not say."""
    every = bool(capabilities) and all(known is not None and tuple(known) >= BFLOAT16_FROM for known in capabilities)
    return "mixed_bfloat16" if every else "float32"


def _version(capability: tuple[int, int] | None) -> str:
    return "unknown compute capability" if capability is None else f"compute capability {capability[0]}.{capability[1]}"
