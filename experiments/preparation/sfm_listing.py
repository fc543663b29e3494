"""The list of retrieval-SfM-120k, from its pickle to JSON without unpickling."""

from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.evaluation.safe_pickle import read_plain_pickle

_COLUMNS = ("cids", "cluster", "qidxs", "pidxs")


def sfm_listing(folder: Path) -> Path:
    """Returns `folder/retrieval-SfM-120k.json`, made from the pickle beside it when it is not there yet.

    Raises:
        UserError: No pickle, one that holds more than plain lists (whose format could not be checked here), or one
            without train and val.
    """
    path = folder / "retrieval-SfM-120k.json"
    if path.is_file():
        return path
    pickled = folder / "retrieval-SfM-120k.pkl"
    facts = read_plain_pickle(pickled)
    try:
        write_json(path, {split: {column: facts[split][column] for column in _COLUMNS} for split in ("train", "val")})
    except (KeyError, TypeError) as error:
        raise UserError(f"train and val with {', '.join(_COLUMNS)} in {pickled}", _shape(facts),
                        "Fetch it again.") from error
    return path


def _shape(facts: Any) -> str:
    return f"a dict of {', '.join(map(str, facts))}" if isinstance(facts, dict) else type(facts).__name__
