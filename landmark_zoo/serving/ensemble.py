"""Ensemble of exported models: their embeddings, weighted and concatenated."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import Protocol
from landmark_zoo.data.resampling import rescale
from landmark_zoo.layers.embedding import l2_normalize
from landmark_zoo.saved_model import SavedModel, SavedModelModule
from landmark_zoo.serving.network import Embedder


def member_factors(weights: Sequence[float] | None, members: int) -> np.ndarray:
    """Returns sqrt(w / sum of all w) for each member, float32 [members].

    With these the concatenation has length 1, and the dot product of two of them is the weighted mean of the members'
    cosines: a weight says how much a member's cosine counts. (Multiplying by the weight itself would count its square.)

    Args:
        weights: One per member, above 0; None for equal ones.
        members: Number of members.

    Raises:
        UserError: Another number of weights, or one that is not above 0.
    """
    weights = [1.0] * members if weights is None else list(weights)
    if len(weights) != members or not all(math.isfinite(weight) and weight > 0 for weight in weights):
        raise UserError(f"{members} weights above 0, one for each member", ", ".join(map(str, weights)) or "none",
                        "Write for example --weights=2,1,1.")
    return np.sqrt(np.array(weights) / sum(weights)).astype(np.float32)


class Ensemble(Embedder):
    """Ensemble of exported models, concatenated: the dot product is the weighted mean of the members' cosines.

    Images are brought to the largest of the members' sides; members of smaller ones get them shrunk from there. So each
    image is decoded once, and `serving_default` and `images` agree; where sides differ, such a member's part is not to the
    last digit what the member alone makes of a larger original.

    Therefore all members have one rule for the resize and for crops, and other rules than the project's own one side as
    well: from an image that is resized already, the other member's cannot be made. Scales and their aggregation are inside
    each member, and may differ.

    Args:
        members: Two exported models or more.
        weights: Weight of each member's cosine; None for equal ones.

    Raises:
        UserError: Fewer than two members, one of them twice, unlike rules for their images, or weights that do not fit.
    """

    def __init__(self, members: Sequence[SavedModel], weights: Sequence[float] | None = None):
        super().__init__(name="ensemble")
        if len(members) < 2:
            raise UserError("two members or more", str(len(members)), "Name them with --members=a,b.")
        seen: dict[str, SavedModel] = {}
        for member in members:
            twin = seen.setdefault(member.fingerprint, member)
            if twin is not member:
                raise UserError("every member once", f"{twin.path} and {member.path}, which are the same",
                                "Give one of them, and more weight.")
        self.members = [member.as_module() for member in members]
        self._protocol = _common_protocol(members)
        self.side, self.dimension = self._protocol.side, sum(member.dimension for member in members)
        self._factors = tuple(float(factor) for factor in member_factors(weights, len(members)))

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        parts = [factor * l2_normalize(member(rescale(images, self._shrinks(member.model.side))))
                 for member, factor in zip(self.members, self._factors, strict=True)]
        return l2_normalize(tf.concat(parts, axis=1))

    def attention(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the maps of all members that have the signature, each behind its member's name and a slash."""
        return {f"{label}/{name}": values for label, member in self._attentive()
                for name, values in member.attention(rescale(images, self._shrinks(member.model.side))).items()}

    def _attentive(self) -> list[tuple[str, SavedModelModule]]:
        """Returns members with maps and what they are called; where two have one name, all get their number before it."""
        names = [member.model.name for member in self.members]
        if len(set(names)) < len(names):
            names = [f"{number}_{name}" for number, name in enumerate(names, 1)]
        return [(name, member) for name, member in zip(names, self.members, strict=True) if member.model.has_attention]

    def _shrinks(self, side: int) -> float:
        return 1.0 if self._protocol.resize == "none" else side / self.side

    @property
    def protocol(self) -> Protocol:
        return self._protocol

    @property
    def facts(self) -> dict[str, Any]:
        models = [member.model for member in self.members]
        facts = [model.info for model in models]
        weights = [round(factor ** 2, 6) for factor in self._factors]
        common = {key: _common([fact.get(key) for fact in facts])
                  for key in ("scales", "aggregation", "whitening", "whitening_learnt_on", "training_data")}
        aggregation = f"members concatenated, their cosines weighted {_joined(weights)}"
        if common["aggregation"] != "none":
            aggregation += f"; inside them: {common['aggregation']}"
        resize = self._protocol.words
        if self._protocol.resize != "none" and len({model.side for model in models}) > 1:
            resize += f", then for the members to {_joined(model.side for model in models)}"
        maps = {f"{label}/{name}": kind for label, member in self._attentive()
                for name, kind in member.model.attention_kinds.items()}
        common |= {"attention_maps": list(maps), "attention_kinds": list(maps.values())} if maps else {}
        rules = {key: self._protocol.constants[key] for key in _SIZE_RULES}
        return {"dimension": self.dimension, "side": self.side, **rules, "resize": resize,
                "preprocessing": "inside; RGB 0..255", **common, "aggregation": aggregation, "member_weights": weights,
                "weights_sha256": self._fingerprint(),
                "members": [f"{model.name} version {model.path.name}" for model in models]}

    @property
    def parameters(self) -> int:
        return sum(member.model.parameters for member in self.members)

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        counts = [member.model.card.get("multiply_accumulates") for member in self.members]
        return None if None in counts else sum(counts)

    def _fingerprint(self) -> str:
        parts = [f"{factor} {member.model.fingerprint}" for factor, member in zip(self._factors, self.members, strict=True)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


_SIZE_RULES = ("resize_rule", "enlarge", "crop_rule", "box_rounding")


def _common_protocol(members: Sequence[SavedModel]) -> Protocol:
    """Returns the protocol by which images come to the largest side; unlike rules of the members are a UserError."""
    largest = max(members, key=lambda member: member.side)
    protocol = Protocol(largest.side, largest.protocol.resize, largest.protocol.enlarge, largest.protocol.crop,
                        largest.protocol.box_rounding)
    any_side = protocol.resize == "none" or (protocol.resize == "bilinear" and protocol.enlarge)
    for member in members:
        expected, found = protocol.constants, member.protocol.constants
        unlike = [key for key in _SIZE_RULES if expected[key] != found[key]]
        if not any_side and member.side != protocol.side:
            unlike.append("side")
        if unlike:
            raise UserError(f"members of one test protocol, {_rules(expected, unlike)} as {largest.path} has it",
                            f"{_rules(found, unlike)} at {member.path}", "Export it with these rules, or leave it out.")
    return protocol


def _rules(constants: Mapping[str, Any], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {constants[name]}" for name in names)


def _common(values: Sequence[Any]) -> Any:
    """Returns what all members say, or all that they say in words."""
    values = ["not stated" if value is None else value for value in values]
    return values[0] if all(value == values[0] for value in values) else "; ".join(map(str, values))


def _joined(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))
