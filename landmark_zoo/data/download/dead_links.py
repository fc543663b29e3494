"""The list of addresses that no photograph is to be had from any more."""

import csv
import threading
from pathlib import Path

from landmark_zoo.core.files import write_csv
from landmark_zoo.data.download.picture_address import PictureAddress

_HEADER = ("id", "url", "reason")


class DeadLinks:
    """A csv file (id, url, reason) that grows line by line; remove it to have all addresses tried again.

    A last line that an interruption cut is dropped when the list is opened.

    Args:
        path: The file.
    """

    def __init__(self, path: Path):
        self.path = path
        rows = []
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            rows = [row for row in csv.reader(text[:text.rfind("\n") + 1].splitlines()[1:]) if len(row) == len(_HEADER)]
        write_csv(path, _HEADER, rows)
        self.ids = {row[0] for row in rows}
        self._lock = threading.Lock()

    def add(self, address: PictureAddress, reason: str) -> None:
        """Appends one line."""
        with self._lock, open(self.path, "a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(
                (address.id, " ".join(address.url.split()), " ".join(reason.split())))
            self.ids.add(address.id)
