"""Several exported models as one."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.l2_normalise import l2_normalise
from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.member import Member
from landmark_zoo.serving.member_factors import member_factors
from landmark_zoo.serving.rescale import rescale


class Ensemble(Embedder):
    """Embeds a picture with every member and concatenates: the dot product is the weighted mean of the members' cosines.

    Pictures are brought to the largest of the members' sides; members of smaller ones get them shrunk from there. So each
    picture is decoded once, and `serving_default` and `images` agree; where sides differ, such a member's part is not to the
    last digit what the member alone makes of a larger original.

    Args:
        members: Two or more.
        weights: How much each member's cosine counts; None for equally.

    Raises:
        UserError: Fewer than two members, one of them twice, or weights that do not fit.
    """

    def __init__(self, members: Sequence[Member], weights: Sequence[float] | None = None):
        super().__init__(name="ensemble")
        if len(members) < 2:
            raise UserError("two members or more", str(len(members)), "Name them with --members=a,b.")
        seen: dict[str, Member] = {}
        for member in members:
            twin = seen.setdefault(member.fingerprint, member)
            if twin is not member:
                raise UserError("every member once", f"{twin.path} and {member.path}, which are the same",
                                "Give one of them, and more weight.")
        self.members = list(members)
        self.side, self.dimension = max(member.side for member in members), sum(member.dimension for member in members)
        self._factors = tuple(float(factor) for factor in member_factors(weights, len(members)))

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        parts = [factor * l2_normalise(member(rescale(images, member.side / self.side)))
                 for member, factor in zip(self.members, self._factors, strict=True)]
        return l2_normalise(tf.concat(parts, axis=1))

    @property
    def facts(self) -> dict[str, Any]:
        facts = [member.facts for member in self.members]
        weights = [round(factor ** 2, 6) for factor in self._factors]
        common = {key: _common([fact.get(key) for fact in facts])
                  for key in ("scales", "aggregation", "whitening", "whitening_learnt_on", "training_data")}
        aggregation = f"members concatenated, their cosines weighted {_joined(weights)}"
        if common["aggregation"] != "none":
            aggregation += f"; inside them: {common['aggregation']}"
        resize = f"longer side to {self.side} pixels, antialiased"
        if len({member.side for member in self.members}) > 1:
            resize += f", then for the members to {_joined(member.side for member in self.members)}"
        return {"dimension": self.dimension, "side": self.side, "resize": resize, "preprocessing": "inside; RGB 0..255",
                **common, "aggregation": aggregation, "member_weights": weights, "weights_sha256": self._fingerprint(),
                "members": [f"{fact.get('name', '?')} version {member.path.name}"
                            for fact, member in zip(facts, self.members, strict=True)]}

    @property
    def parameters(self) -> int:
        return sum(member.parameters for member in self.members)

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        counts = [member.card.get("multiply_accumulates") for member in self.members]
        return None if None in counts else sum(counts)

    def _fingerprint(self) -> str:
        parts = [f"{factor} {member.fingerprint}" for factor, member in zip(self._factors, self.members, strict=True)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _common(values: Sequence[Any]) -> Any:
    """Returns what all members say, or all that they say in words."""
    values = ["not stated" if value is None else value for value in values]
    return values[0] if all(value == values[0] for value in values) else "; ".join(map(str, values))


def _joined(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))
