"""Table of every backbone and network of the zoo: parameters, multiply-accumulates, milliseconds, smallest side, weights."""

import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.backbones.build import build_backbone, preprocess
from landmark_zoo.backbones.registry import BACKBONES, BackboneSpec
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.layers.attention.registry import ATTENTION
from landmark_zoo.layers.registry import POOLING
from landmark_zoo.models.inspection import multiply_accumulates
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.models.registry import NETWORKS, WHOLE, create_model
from landmark_zoo.models.zoo_table import FILE, SIDE, Part, write_parts

COLUMNS = ("name", "kind", "family", "parameters", "macs_224", "milliseconds_224", "smallest_side", "embedding", "weights",
           "license", "paper")
SHOWN_ON = {"delf": "resnet50", "delg": "resnet50", "how": "resnet50", "solar": "resnet101", "abn": "resnet50"}
"""Backbone on which a network has its row: its paper's; VGG-16 for those that are not here, the classifiers of a study."""
RUNS = 5
_BUILT_WITH = 27  # classes of what cannot be built without


def write_table(path: str | Path, packaged: Path = FILE) -> None:
    """Writes the table as a csv file, row by row, and from it the packaged one that `--list` reads.

    Rows that the file has already are kept: an interrupted command continues. Until it is through, the packaged table has
    names and papers alone of what is not counted yet.

    Args:
        path: File to write; "embedding" is the width of a backbone's last map, the length of a network's embedding.
        packaged: File of `zoo_table`.
    """
    rows = {row["name"]: row for row in read_csv(path, COLUMNS)} if Path(path).exists() else {}
    wanted = dict(_wanted())
    write_parts(_parts(rows), packaged)
    for number, (name, kind) in enumerate(wanted.items(), 1):
        if name in rows:
            continue
        rows[name] = _backbone_row(BACKBONES[name]) if kind == "backbone" else _network_row(name, kind)
        logging.info("%d of %d: %s, %s ms", number, len(wanted), name, rows[name]["milliseconds_224"])
        kept = [rows[each] for each in wanted if each in rows]
        write_csv(path, COLUMNS, ([row[column] for column in COLUMNS] for row in kept))
        write_parts(_parts(rows), packaged)
        tf.keras.backend.clear_session()


def _wanted() -> Iterator[tuple[str, str]]:
    yield from ((name, "backbone") for name in BACKBONES)
    yield from ((f"{SHOWN_ON.get(network, 'vgg16')}_{network}", "network") for network in NETWORKS)
    yield from ((name, "whole") for name in WHOLE)


def _parts(rows: dict[str, dict[str, object]]) -> Iterator[Part]:
    """Yields the packaged table's rows; blocks and poolings have names and papers alone."""
    def counted(kind: str, name: str, paper: str, taps: Iterable[str] = ()) -> Part:
        numbers = (rows[name][key] if name in rows else None for key in ("parameters", "macs_224", "embedding"))
        return Part(kind, name, *(None if number is None else int(number) for number in numbers), paper, " ".join(taps))

    yield from (counted("backbone", name, BACKBONES[name].paper, BACKBONES[name].taps) for name in BACKBONES)
    yield from (Part("attention", name, None, None, None, f"{ATTENTION[name].quadrant}; {ATTENTION[name].paper}")
                for name in ATTENTION)
    yield from (Part("pooling", name, None, None, None, "") for name in POOLING)
    yield from (Part("network", name, None, None, None, NETWORKS[name].paper, " ".join(NETWORKS[name].taps))
                for name in NETWORKS)
    yield from (counted("whole", name, WHOLE[name].paper) for name in WHOLE)
    yield from (Part("published", row.name, None, None, row.arguments.get("embedding_dim"), row.about)
                for row in CHECKPOINTS.values())


def _backbone_row(spec: BackboneSpec) -> dict[str, object]:
    network = build_backbone(spec.name, taps=("C5",))
    weights, license = published_weights(spec)
    return {"name": spec.name, "kind": "backbone", "family": spec.family,
            **_measured(lambda images: network(preprocess(images, spec.preprocessing), training=False)["C5"]),
            "parameters": network.count_params(), "smallest_side": spec.smallest_side,
            "embedding": network.output_shape["C5"][-1], "weights": weights, "license": license, "paper": spec.paper}


def published_weights(spec: BackboneSpec) -> tuple[str, str]:
    """Returns who publishes a backbone's ImageNet weights ("none" where nobody is known to), and their license."""
    if spec.published is not None:
        return f"package {spec.published.package}", spec.published.license
    if spec.keras_license:
        return "Keras", spec.keras_license
    rows = [row for row in CHECKPOINTS.values() if (row.backbone, row.network) == (spec.name, "backbone")]
    if not rows:
        return "none", ""
    return ", ".join(dict.fromkeys(row.project for row in rows)), ", ".join(dict.fromkeys(row.license for row in rows))


def _network_row(name: str, kind: str) -> dict[str, object]:
    try:
        model = create_model(name)
    except UserError:
        model = create_model(name, num_classes=_BUILT_WITH)
    backbone = None if kind == "whole" else name.partition("_")[0]
    network = WHOLE[name] if kind == "whole" else NETWORKS[name.removeprefix(f"{backbone}_")]
    weights, license = ("its authors", network.license) if kind == "whole" else published_weights(BACKBONES[backbone])
    return {"name": name, "kind": kind, "family": BACKBONES[backbone].family if backbone else name,
            **_measured(lambda images: model(images, training=False)["embedding"]), "parameters": model.count_params(),
            "smallest_side": BACKBONES[backbone].smallest_side if backbone else 32,
            "embedding": model.output_shape["embedding"][-1],
            "weights": weights if kind == "whole" or weights == "none" else f"of the backbone: {weights}",
            "license": license, "paper": network.paper}


def _measured(function) -> dict[str, object]:
    """Returns multiply-accumulates, and the median time of one image in milliseconds on this machine."""
    compiled = tf.function(function).get_concrete_function(tf.TensorSpec([1, SIDE, SIDE, 3]))
    images, times = tf.random.uniform([1, SIDE, SIDE, 3], maxval=255.0), []
    for run in range(RUNS + 1):
        start = time.perf_counter()
        compiled(images).numpy()
        times += [1000 * (time.perf_counter() - start)] if run else []
    return {"macs_224": multiply_accumulates(compiled), "milliseconds_224": f"{statistics.median(times):.1f}"}
