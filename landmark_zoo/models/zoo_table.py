"""Table of the zoo that needs no TensorFlow to be read: the parts of model names, and what backbones and networks cost.

`model_costs.csv` beside this file is written by `python -m experiments.summary --table=docs/models.csv`, from the
registries; a test holds it to them.
"""

import dataclasses
import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.core.registry import natural_key

FILE = Path(__file__).with_name("model_costs.csv")
SIDE = 224
"""Height and width of the images whose multiply-accumulates the table counts, in pixels."""
KINDS = ("backbone", "attention", "pooling", "network", "whole", "published")


@dataclasses.dataclass(frozen=True)
class Part:
    """Row of the table: a backbone, something that a backbone can carry, or a network without a choice of backbones, which
    may be a published one.

    Attributes:
        kind: One of `KINDS`.
        name: Name in model names.
        parameters: Number of weights, of backbones and whole networks; None where not counted yet, and for what stands on a
            backbone.
        macs: Multiply-accumulates of one image of `SIDE` x `SIDE`, or None.
        width: Channels of a backbone's last map, or length of a whole network's embedding, or None.
        text: Quadrant and paper; of a published network its score and source.
        taps: Feature maps that a backbone has, or that a network asks of its backbone, spaces between them.
    """

    kind: str
    name: str
    parameters: int | None
    macs: int | None
    width: int | None
    text: str
    taps: str = ""


def read_parts(path: str | Path = FILE) -> list[Part]:
    """Reads the table."""
    return [Part(row["kind"], row["name"], *(int(row[key]) if row[key] else None for key in ("parameters", "macs", "width")),
                 row["text"], row["taps"]) for row in read_csv(path, [field.name for field in dataclasses.fields(Part)])]


def write_parts(parts: Iterable[Part], path: str | Path = FILE) -> None:
    """Writes the table."""
    rows = (["" if value is None else value for value in dataclasses.astuple(part)] for part in parts)
    write_csv(path, [field.name for field in dataclasses.fields(Part)], rows)


def named_models(parts: Iterable[Part]) -> Iterator[tuple[str, Part, str]]:
    """Yields the name of every model of the zoo, its backbone or whole network, and its quadrant and paper.

    Example:
        >>> backbone = Part("backbone", "resnet18", 11_186_112, 1_814_073_344, 512, "He et al.")
        >>> block = Part("attention", "se", None, None, None, "Hu et al.")
        >>> [(name, text) for name, _, text in named_models([backbone, block])]
        [('resnet18', 'He et al.'), ('resnet18_se', 'Hu et al.')]
    """
    of = {kind: [part for part in parts if part.kind == kind] for kind in KINDS}
    networks = {network.name for network in of["network"]}
    for backbone in of["backbone"]:
        yield backbone.name, backbone, backbone.text
        for block in of["attention"]:
            yield f"{backbone.name}_{block.name}{'_block' if block.name in networks else ''}", backbone, block.text
        for pooling in of["pooling"]:
            yield f"{backbone.name}_{pooling.name}", backbone, backbone.text
        for network in of["network"]:
            if set(network.taps.split()) <= set(backbone.taps.split()):
                yield f"{backbone.name}_{network.name}", backbone, network.text
    for network in (*of["whole"], *of["published"]):
        yield network.name, network, network.text


def listing(pattern: str, parts: Iterable[Part] | None = None) -> Iterator[str]:
    """Yields a header, and a line for every model whose name matches a pattern: what its backbone costs, and its paper.

    Args:
        pattern: E.g. "resnet101_*".
        parts: Table; None for the zoo's own.

    Raises:
        UserError: No such model.
    """
    models = {name: (part, text) for name, part, text in named_models(read_parts() if parts is None else list(parts))}
    found = sorted(fnmatch.filter(models, pattern), key=natural_key)
    if not found:
        raise no_models(pattern)
    yield (f"{'name':<34}{'parameters':>12}{'GMACs':>8}{'width':>6}  quadrant; paper"
           f" (numbers are the backbone's alone, at {SIDE} x {SIDE})")
    for name in found:
        part, text = models[name]
        counted = ("-",) * 3 if part.macs is None else (f"{part.parameters:,}", f"{part.macs / 1e9:.2f}", part.width)
        yield "{:<34}{:>12}{:>8}{:>6}  {}".format(name, *counted, text)


def no_models(pattern: str) -> UserError:
    """Returns the error of a pattern that matches no model."""
    return UserError("a pattern of models", f"{pattern!r}, which matches none", 'Check --list; "*" prints all.')
