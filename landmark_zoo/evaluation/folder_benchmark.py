"""Instance search among one's own photographs."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.folder import read_folder


@dataclass(frozen=True)
class FolderBenchmark:
    """Each photograph of a landmark is a query that should find the others, and is itself left out of its ranking.

    Attributes:
        name: The folder's name.
        paths: Photograph to its file.
        landmarks: Photograph to its landmark.
        ground_truth_sha256: Over photographs and landmarks.
    """

    name: str
    paths: Mapping[str, Path]
    landmarks: Mapping[str, str]
    ground_truth_sha256: str

    @classmethod
    def read(cls, folder: str | Path) -> "FolderBenchmark":
        """Reads one folder per landmark (`data.folder.read_folder`).

        Raises:
            UserError: No photographs, an id with a blank or twice, or no landmark with two photographs.
        """
        entries = list(read_folder([folder]))
        landmarks = {entry.id: entry.landmark_id for entry in entries}
        lines = "".join(f"{image}\t{landmark}\n" for image, landmark in sorted(landmarks.items()))
        benchmark = cls(Path(folder).resolve().name, {entry.id: Path(entry.path) for entry in entries}, landmarks,
                        hashlib.sha256(lines.encode()).hexdigest())
        if not benchmark.query_ids:
            raise UserError(f"a landmark with two photographs or more in {folder}", "none",
                            "Put the photographs of each landmark into a folder of their own.")
        return benchmark

    @cached_property
    def query_ids(self) -> tuple[str, ...]:
        """The photographs of landmarks that have others."""
        counts = Counter(self.landmarks.values())
        return tuple(image for image, landmark in self.landmarks.items() if counts[landmark] > 1)

    @property
    def index_ids(self) -> tuple[str, ...]:
        """All photographs."""
        return tuple(self.landmarks)

    @property
    def queries_ignored(self) -> int:
        """How many photographs are the only ones of their landmarks."""
        return len(self.landmarks) - len(self.query_ids)

    def positives(self, query_id: str) -> frozenset[str]:
        """Returns the other photographs of the query's landmark."""
        return self._members[self.landmarks[query_id]] - {query_id}

    def labelled_ids(self, query_id: str) -> frozenset[str]:
        """Returns the index images that have a label for a query: itself (junk) and its positives."""
        return self._members[self.landmarks[query_id]]

    @cached_property
    def _members(self) -> dict[str, frozenset[str]]:
        members: dict[str, set[str]] = {}
        for image, landmark in self.landmarks.items():
            members.setdefault(landmark, set()).add(image)
        return {landmark: frozenset(images) for landmark, images in members.items()}
