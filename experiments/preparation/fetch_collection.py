"""A public collection, fetched as far as it is not there."""

from collections.abc import Sequence
from pathlib import Path

from absl import logging

from landmark_zoo.core.lock import lock_directory
from landmark_zoo.data.download.estimate import estimate
from landmark_zoo.data.download.fetch_files import fetch_files
from landmark_zoo.data.download.fetch_pictures import fetch_pictures
from landmark_zoo.data.download.needed import needed
from landmark_zoo.data.download.patience import Patience
from landmark_zoo.data.download.picture_address import PictureAddress
from landmark_zoo.data.sources.source import Source

_PICTURE_BYTES = 300_000


def fetch_collection(source: Source, data_dir: Path, *, addresses: Sequence[PictureAddress] = (), connections: int = 4,
                     timeout: float = 30.0, dry_run: bool = False) -> None:
    """Fetches the files of a collection and, of one that is a list of addresses, the photographs.

    Args:
        source: The collection.
        data_dir: The data folder; nothing is written outside, and with `dry_run` nothing at all.
        addresses: Single photographs, kept in `<folder>/train`.
        connections: At the same time.
        timeout: Seconds after which a silent or very slow connection is given up.
        dry_run: Print what would be fetched, and in what time.

    Raises:
        UserError: Files that cannot be had, a full disk, or another command that works in `data_dir`.
    """
    root = data_dir / source.folder
    if dry_run:
        print(f"{source.name}: {estimate(needed(source.files, data_dir))}")
        if addresses:
            absent = sum(not (root / "train" / f"{address.id}.jpg").is_file() for address in addresses)
            print(f"{source.name}: {absent:,} photographs from {len({address.host for address in addresses}):,} servers, "
                  f"about {absent * _PICTURE_BYTES / 1e9:,.1f} GB at a guess of 0.3 MB each")
        return
    with lock_directory(data_dir):
        fetch_files(source.files, data_dir, connections, Patience(timeout=timeout))
        if addresses:
            fetched = fetch_pictures(addresses, root / "train", root / "dead.csv",
                                     patience=Patience(attempts=3, timeout=timeout))
            logging.info("%s photographs here, %s dead links (dead.csv), %s addresses that did not answer: start again to "
                         "ask them again", *(f"{count:,}" for count in (fetched.here, fetched.dead, fetched.unanswered)))
