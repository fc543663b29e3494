"""Shards of an embedding run: finished parts on disk, and the merge of all of them into one `EmbeddingSet`."""

import contextlib
import itertools
import os
import shutil
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.core.files import (
    atomic_write,
    check_sha256,
    lock_directory,
    read_csv,
    read_json,
    read_npy,
    remove_unfinished,
    sha256,
    write_csv,
    write_json,
    write_npy,
)
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.datasets.image_refs import ImageRef, images_checksum
from landmark_zoo.retrieval.file_states import FILE, EmbeddedFile, FileState, list_checksum, read_files, unnoted, write_files
from landmark_zoo.retrieval.image_sequence import ImageSequence


class NoUsableImageError(UserError):
    """Error of a run in which every image was bad."""


class EmbeddingShards:
    """Saves the work every `size` images, and knows after an interruption what is left.

    A shard is two files: `00000.json` with the checksum of its ids, the state of the file of each image and the reason for
    each one skipped, then `00000.npy` with the embeddings of the others. A shard with an image that was changed or mended
    meanwhile is made again; the embeddings of its other images are taken over.

    Args:
        folder: Folder of the shards.
        images: All images of the run.
        size: Images per shard.
    """

    def __init__(self, folder: Path, images: Sequence[ImageRef], size: int):
        self.folder, self.images, self.size = folder, images, size
        self.numbers = range(-(-len(images) // size))

    def missing(self, redo_skipped: bool = False, numbers: Sequence[int] | None = None) -> list[int]:
        """Returns the numbers of the shards still to be made.

        Args:
            redo_skipped: Count shards with bad images as missing.
            numbers: Shards to look at; None for all.
        """
        return [number for number in (self.numbers if numbers is None else numbers)
                if not self._is_finished(number, redo_skipped)]

    def exists(self, number: int) -> bool:
        """Returns whether a shard was saved and not retired, be its images still the same or not."""
        return self._npy(number).exists() and self._json(number).exists()

    def images_of(self, number: int) -> Sequence[ImageRef]:
        """Returns the images of one shard."""
        return self.images[number * self.size:(number + 1) * self.size]

    def save(self, number: int, vectors: np.ndarray, skipped: Mapping[str, str],
             states: Sequence[FileState] | None = None) -> None:
        """Writes a finished shard.

        Args:
            number: Number of the shard.
            vectors: Embeddings of its good images, [n, D].
            skipped: Id and reason of each other one.
            states: State of the file of each image, as it was read; None for those of today, without hashes.
        """
        images = self.images_of(number)
        states = [FileState.of(image.path) for image in images] if states is None else states
        self._npy(number).unlink(missing_ok=True)
        self._retired(number).unlink(missing_ok=True)
        write_json(self._json(number), {"list_sha256": list_checksum(images), "skipped": skipped,
                                        "files": [f"{size} {time} {digest}" for size, time, digest in states]})
        write_npy(self._npy(number), vectors)

    def retire(self, number: int) -> None:
        """Makes a shard count as missing, for every process; what is unchanged in it can still be taken over."""
        if self._npy(number).exists():
            os.replace(self._npy(number), self._retired(number))

    def skipped(self) -> dict[str, str]:
        """Returns id and reason of every image skipped."""
        return {name: reason for number in self.numbers
                for name, reason in self.skipped_of(number).items()}

    def skipped_of(self, number: int) -> dict[str, str]:
        """Returns id and reason of every image of one shard that was skipped."""
        return read_json(self._json(number))["skipped"]

    def files_of(self, number: int) -> list[EmbeddedFile]:
        """Returns what was found in the file of each image of a shard that exists or was retired.

        Raises:
            UserError: A shard of other images.
        """
        images, facts = self.images_of(number), read_json(self._json(number))
        try:
            if "list_sha256" in facts:
                same, states = facts["list_sha256"] == list_checksum(images), map(_state, facts["files"])
            else:  # of an earlier release
                made = FileState.of(self._npy(number)).mtime_ns
                same, states = facts["photographs_sha256"] == images_checksum(images), (unnoted(one, made) for one in images)
            if same:
                return [EmbeddedFile(state, facts["skipped"].get(image.id, ""))
                        for image, state in zip(images, states, strict=True)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"the facts of a shard in {self._json(number)}", f"{type(error).__name__} {error}",
                            "Remove it and start its part again.") from error
        raise UserError(f"the shards of one list of images in {self.folder}", f"another list in shard {number}",
                        "Start its part again with this list, or choose another output folder.")

    def known(self, number: int) -> list[EmbeddedFile | None]:
        """Returns what is known of each image of a shard that was retired."""
        with contextlib.suppress(UserError, OSError, ValueError):
            files = self.files_of(number)
            if sum(not file.skipped for file in files) == len(read_npy(self._retired(number), mmap=True)):
                return [*files]
        return [None] * len(self.images_of(number))

    def known_vectors(self, number: int) -> dict[str, np.ndarray]:
        """Returns the embeddings in a shard that was retired, by id."""
        good = [image.id for image, file in zip(self.images_of(number), self.known(number), strict=True)
                if file and not file.skipped]
        return dict(zip(good, read_npy(self._retired(number)), strict=True)) if good else {}

    def vectors(self) -> np.ndarray:
        """Returns the embeddings of all good images, float32 [N, D]."""
        return np.concatenate([self.vectors_of(number) for number in self.numbers])

    def vectors_of(self, number: int) -> np.ndarray:
        """Returns the embeddings of the good images of one shard, [n, D], which stay on disk until they are used."""
        try:
            return read_npy(self._npy(number), mmap=True)
        except ValueError as error:
            raise UserError(f"the embeddings of a shard in {self._npy(number)}", str(error),
                            "Remove it and start its part again.") from error

    def _is_finished(self, number: int, redo_skipped: bool) -> bool:
        if not self.exists(number):
            return False
        try:
            files = self.files_of(number)
        except UserError:
            return False
        return not (redo_skipped and any(file.skipped for file in files)) and \
            not any(file.state.is_changed(image.path) for image, file in zip(self.images_of(number), files, strict=True))

    def _npy(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npy"

    def _retired(self, number: int) -> Path:
        return self.folder / f"{number:05d}.retired"

    def _json(self, number: int) -> Path:
        return self.folder / f"{number:05d}.json"


def _state(text: str) -> FileState:
    size, time, digest = text.split(" ")
    return FileState(int(size), int(time), digest)


_PATIENCE = 600
"""Seconds."""


def merge_shards(output: str | Path) -> dict:
    """Writes the folder that `EmbeddingSet.load` reads, one shard after another, and removes the shards.

    Args:
        output: Folder of `embed_shards`; gets `embeddings.npy`, `ids.csv`, `skipped.csv`, `files.csv` and, last,
            `embeddings.json`. A folder that was joined already is only read.

    Returns:
        What `embeddings.json` says.

    Raises:
        UserError: Nothing to join there, a shard that is missing or of another list, or every image was bad.
    """
    output = Path(output)
    with output_lock(output):
        if (output / "embeddings.json").exists():
            return read_json(output / "embeddings.json")
        maker = read_json(output / "shards" / "maker.json")
        listed = _listed(output / "shards", maker)
        if not isinstance(maker, dict) or not {"shard_size", "dtype", "model_fingerprint"} <= set(maker):
            raise UserError(f"what makes the shards in {output / 'shards' / 'maker.json'}", f"{maker!r:.40}",
                            "Start experiments.embed there again.")
        shards = EmbeddingShards(output / "shards", listed, maker.pop("shard_size"))
        absent = [number for number in shards.numbers if not shards.exists(number)]
        if absent:
            raise UserError(f"{len(shards.numbers)} finished shards in {shards.folder}",
                            f"{len(absent)} missing, the first number {absent[0]}", "Start the run of its part again.")
        remove_unfinished(output)
        facts = _join(shards, output, maker)
        shutil.rmtree(shards.folder, ignore_errors=True)
    return facts


def _listed(folder: Path, maker: Mapping[str, Any]) -> ImageSequence:
    """Returns the list that the shards were made of; a part may have left another, whose run was refused."""
    lists = [ImageSequence(path) for path in sorted(folder.glob("part-*/pictures.jsonl"))]
    if not lists:
        raise UserError(f"a list of pictures in {folder}", "none", "Start experiments.embed there first.")
    if len(lists) == 1 or "list_sha256" not in maker:  # what differs is found shard by shard
        return lists[0]
    return next((one for one in lists if list_checksum(one) == maker["list_sha256"]), lists[0])


def reopen(output: Path, images: Sequence[ImageRef], size: int) -> None:
    """Splits a finished set into shards again; those in which a file was changed since count as missing.

    Args:
        output: Folder of the set; it is unfinished from then on.
        images: The images that it was made of.
        size: Images per shard.

    Raises:
        UserError: Files that do not fit together.
    """
    shards = EmbeddingShards(output / "shards", images, size)
    (shards.folder / "maker.json").unlink(missing_ok=True)
    try:
        check_sha256(output, read_json(output / "embeddings.json").get("sha256", {}))
        vectors = read_npy(output / "embeddings.npy", mmap=True)
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"whole embeddings in {output}", str(error), "Choose another output folder or remove it.") from error
    row, files, ids = 0, read_files(output, images), (line["id"] for line in read_csv(output / "ids.csv", ["id"]))
    for number in shards.numbers:
        part, found = shards.images_of(number), list(itertools.islice(files, size))
        skipped = {image.id: file.skipped for image, file in zip(part, found, strict=True) if file.skipped}
        good = [image.id for image in part if image.id not in skipped]
        rows = len(good)
        if list(itertools.islice(ids, rows)) != good:
            raise UserError(f"the ids of {output} in {output / FILE}", f"others from row {row} on",
                            "Choose another output folder or remove it.")
        shards.save(number, vectors[row:row + rows], skipped, [file.state for file in found])
        row += rows
        if any(file.state.is_changed(image.path) for image, file in zip(part, found, strict=True)):
            shards.retire(number)
    (output / "embeddings.json").unlink()


@contextlib.contextmanager
def output_lock(output: Path) -> Iterator[None]:
    """Locks the folder of a set; waits for another process of the same job that claims, opens or joins it."""
    with contextlib.ExitStack() as stack:
        for _ in range(_PATIENCE):
            with contextlib.suppress(UserError):
                stack.enter_context(lock_directory(output))
                break
            time.sleep(1)
        else:
            stack.enter_context(lock_directory(output))
        yield


def _join(shards: EmbeddingShards, output: Path, maker: dict) -> dict:
    shapes = [shards.vectors_of(number).shape for number in shards.numbers]
    rows, dimension = sum(shape[0] for shape in shapes), shapes[0][1]
    bad: dict[str, tuple[Path, str]] = {}
    sizes = array("q")
    write_files(output, _files(shards, bad, sizes))
    write_csv(output / "skipped.csv", ["id", "path", "reason"], ([name, *facts] for name, facts in bad.items()))
    if rows == 0:
        name, (_, reason) = next(iter(bad.items()))
        raise NoUsableImageError("at least one usable photograph", f"{len(bad)} bad ones, first {name}: {reason}",
                                 "Check the folder of photographs, and the model.")
    if bad:
        name, (_, reason) = next(iter(bad.items()))
        notify(f"{len(bad):,} of {len(shards.images):,} images are bad and left out ({output / 'skipped.csv'}), first "
               f"{name}: {reason}")
    with atomic_write(output / "embeddings.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {
            "descr": np.dtype(maker["dtype"]).str, "fortran_order": False, "shape": (rows, dimension)})
        for number in shards.numbers:
            file.write(shards.vectors_of(number).tobytes())
    write_csv(output / "ids.csv", ["id"], ([image.id] for image in shards.images if image.id not in bad))
    maker.setdefault("list_sha256", list_checksum(shards.images))
    maker["photographs_sha256"] = images_checksum(shards.images, sizes)
    facts = {"count": rows, "dimension": dimension, "model_fingerprint": maker.pop("model_fingerprint"),
             "sha256": {name: sha256(output / name) for name in ("embeddings.npy", "ids.csv")},
             "provenance": {**maker, "photographs": len(shards.images), "skipped": len(bad),
                            "cropped": sum(image.box is not None for image in shards.images), "versions": versions()}}
    write_json(output / "embeddings.json", facts)
    return facts


def _files(shards: EmbeddingShards, bad: dict[str, tuple[Path, str]], sizes: array) -> Iterator[tuple[str, EmbeddedFile]]:
    """Yields every id with what was found in its file, and notes path and reason of those skipped, and all sizes."""
    for number in shards.numbers:
        files = shards.files_of(number)
        good, rows = sum(not file.skipped for file in files), len(shards.vectors_of(number))
        if good != rows:
            raise UserError(f"{good} embeddings in shard {number} of {shards.folder}", f"{rows}",
                            "Remove it and start its part again.")
        for image, file in zip(shards.images_of(number), files, strict=True):
            sizes.append(file.state.size)
            if file.skipped:
                bad[image.id] = (image.path, file.skipped)
            yield image.id, file
