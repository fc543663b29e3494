"""Distractors: images that no query should find, such as the million of Radenovic et al. (CVPR 2018)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json, read_npy
from landmark_zoo.retrieval.embedding_set import EMBEDDINGS_FORM, EmbeddingSet, check_same_model


@dataclass(frozen=True)
class Distractors:
    """Embeddings that are appended to the index as plain negatives, memory-mapped.

    Attributes:
        ids: Ids of all shards' images, in the order of the shards.
        shards: Embeddings, float16 or float32 [n, D] each.
        description: Text for the protocol card.
    """

    ids: Sequence[str] = ()
    shards: Sequence[np.ndarray] = ()
    description: str = "none"

    @classmethod
    def read(cls, folders: Sequence[str | Path], index: EmbeddingSet) -> "Distractors":
        """Opens folders that hold an `EmbeddingSet` each; `embeddings.npy` may also be float16.

        Args:
            folders: Folders of the shards.
            index: Embeddings of the index images, of the same model.

        Raises:
            UserError: Embeddings of another model, dimension or processing than the index, a folder whose files do not fit
                together, an id that is in two of them.
        """
        ids: list[str] = []
        shards, checksums, known = [], [], set(index.ids)
        for folder in map(Path, folders):
            facts = read_json(folder / "embeddings.json", EMBEDDINGS_FORM)
            found = [row["id"] for row in read_csv(folder / "ids.csv", ["id"])]
            shards.append(_mapped(folder, facts, len(found), index))
            twice = known.intersection(found)
            if twice or len(set(found)) != len(found):
                raise UserError("every id once in index and distractors", f"{min(twice, default='one')} twice, in {folder}",
                                "Leave it out: an image cannot be a distractor and in the index.")
            known.update(found)
            ids.extend(found)
            checksums.append(str(facts["provenance"].get("photographs_sha256", "not stated"))[:12])
        images = ", ".join(checksums)
        return cls(ids, shards, f"{len(ids):,} photographs with checksum {images}" if folders else "none")


def _mapped(folder: Path, facts: dict, ids: int, index: EmbeddingSet) -> np.ndarray:
    try:
        vectors = read_npy(folder / "embeddings.npy", mmap=True)
        expected = (facts["count"], facts["dimension"])
        if vectors.shape != expected or len(vectors) != ids or vectors.dtype not in (np.float16, np.float32):
            raise ValueError(f"{vectors.dtype} {vectors.shape} and {ids} ids instead of float16 or float32 {expected}")
        check_same_model(index.dimension, index.model_fingerprint, facts["dimension"], facts["model_fingerprint"])
        steps, here = (list(map(str, each.get("steps") or [])) for each in (index.provenance, facts["provenance"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise UserError(f"embeddings at {folder}", str(error), "Make them again with experiments.embed.") from error
    if steps != here:
        raise UserError(f"distractors that went through the steps of the index ({'; '.join(steps) or 'none'})",
                        f"{'; '.join(here) or 'none'} in {folder}", "Post-process index and distractors together.")
    return vectors
