"""The claim of an embedding run: model, engine, settings and list of images, to which an output folder belongs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.datasets.image_refs import ImageRef, images_checksum
from landmark_zoo.retrieval.embedding_shards import output_lock, reopen
from landmark_zoo.retrieval.file_states import read_files

_REMEDY = "Choose another output folder or remove it."
_UNSTATED = {"engine": "tensorflow", "dtype": "float32", "precision": "f32"}
"""Settings of sets on disk that do not state them."""


def is_up_to_date(output: Path, claim: Mapping[str, Any], images: Sequence[ImageRef], strict: bool) -> bool:
    """Returns whether a finished set is there of which no file was changed since.

    Args:
        output: Folder of the set.
        claim: Model, engine, settings, checksum of the list.
        images: The list.
        strict: Refuse a set with bad images.

    Raises:
        UserError: A finished set of something else, or with bad images under `strict`.
    """
    path = output / "embeddings.json"
    if not path.exists():
        return False
    facts = read_json(path)
    try:
        found = {**facts["provenance"], "model_fingerprint": facts["model_fingerprint"]}
    except (KeyError, TypeError) as error:
        raise UserError(f"the facts of embeddings in {path}", f"{type(error).__name__} {error}", _REMEDY) from error
    if "list_sha256" not in found:  # of an earlier release, which had one checksum of ids, boxes and sizes
        same = found.get("photographs_sha256") == images_checksum(images)
        found["list_sha256"] = claim["list_sha256"] if same else ""
    _check_same(output, claim, found)
    changed = sum(file.state.is_changed(image.path) for image, file in zip(images, read_files(output, images), strict=True))
    if changed:
        logging.info("%d files are not as %s has them: they are read again", changed, output)
        return False
    skipped = found.get("skipped", 0)
    if strict and skipped:
        raise UserError("no bad photograph", f"{skipped} in {output / 'skipped.csv'}",
                        "Mend them and choose another output folder, or leave out --strict.")
    logging.info("%s holds all %d embeddings already", output, facts.get("count", 0))
    return True


def claim_shards(output: Path, claim: Mapping[str, Any], images: Sequence[ImageRef], info: Mapping[str, Any]) -> None:
    """Writes what makes the shards of a set, or checks that those there are so made; a finished set is opened again.

    Args:
        output: Folder of the set.
        claim: As in `is_up_to_date`, with the size of the shards.
        images: The list.
        info: Constants of the model.

    Raises:
        UserError: Shards of something else.
    """
    path = output / "shards" / "maker.json"
    with output_lock(output):
        if (output / "embeddings.json").exists():
            reopen(output, images, claim["shard_size"])
        if path.exists():
            found = read_json(path)
            if not isinstance(found, dict):
                raise UserError(f"what makes the shards in {path}", f"{found!r:.40}", _REMEDY)
            _check_same(output, claim, {"list_sha256": claim["list_sha256"], **found})
        write_json(path, {**claim, "model": info})


def _check_same(output: Path, expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    found = {**_UNSTATED, **found}
    unlike = ["list of images" if key == "list_sha256" else key for key in expected if expected[key] != found.get(key)]
    if unlike:
        raise UserError(f"{output} to hold embeddings of these photographs by this model",
                        f"another {', '.join(unlike)}", _REMEDY)
