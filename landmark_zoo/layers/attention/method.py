"""A row of the table of attention methods."""

import dataclasses
from collections.abc import Mapping

from landmark_zoo.layers.attention.base import Attention


@dataclasses.dataclass(frozen=True)
class Method:
    """An attention method and its place in the taxonomy of Song, Han and Avrithis (WACV 2022, table 1).

    Attributes:
        name: As in model names, and the stem of the file that holds it where `layer` has no variants.
        layer: Its class.
        paper: Authors, title, venue.
        local_channel: Weighs channels by themselves, e.g. SE.
        local_spatial: Weighs locations by themselves, e.g. the spatial half of CBAM.
        global_channel: Lets channels interact pairwise.
        global_spatial: Lets locations interact pairwise.
        learned: Whether it has weights of its own.
        used_in_retrieval: Whether its paper applies it to instance retrieval.
        arguments: What the constructor is called with for this row.
        replacement: The layer of the method that stands in for a convolution, with its `filters`; None if it has none.
    """

    name: str
    layer: type[Attention]
    paper: str
    local_channel: bool = False
    local_spatial: bool = False
    global_channel: bool = False
    global_spatial: bool = False
    learned: bool = True
    used_in_retrieval: bool = False
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    replacement: type[Attention] | None = None

    def create(self, **overrides) -> Attention:
        """Makes the layer with this row's arguments."""
        return self.layer(**{**self.arguments, **overrides})

    def create_replacement(self, filters: int, **overrides) -> Attention:
        """Makes the layer that stands in for a convolution of so many filters, with this row's arguments.

        Raises:
            ValueError: A method that replaces no convolution.
        """
        if self.replacement is None:
            raise ValueError(f"create_replacement: expected a method that can replace a convolution; received {self.name}.")
        return self.replacement(filters=filters, **{**self.arguments, **overrides})

    @property
    def quadrant(self) -> str:
        """Its place in words, e.g. "local spatial + local channel"."""
        marked = [place for place in ("local_spatial", "local_channel", "global_spatial", "global_channel")
                  if getattr(self, place)]
        return " + ".join(place.replace("_", " ") for place in marked)
