"""Which photographs there are, and what each shows."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from landmark_zoo.core.errors import UserError


@dataclass(frozen=True, slots=True)
class Entry:
    """One photograph.

    Attributes:
        id: Its name, unique in the catalogue.
        path: Its file.
        landmark_id: What it shows, as its source names it.
    """

    id: str
    path: str
    landmark_id: str


@dataclass(frozen=True)
class Catalogue:
    """Photographs with their landmarks; never empty, no id twice.

    Attributes:
        entries: In the order of the source.
        source: Where they come from, for the manifest.
        missing: Ids that the source lists without a file.

    Raises:
        UserError: No entry, an id that occurs twice, or an empty id or landmark.
    """

    entries: tuple[Entry, ...]
    source: str
    missing: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "entries", tuple(self.entries))
        if not self.entries:
            raise UserError(f"photographs in {self.source}", "none", "Check the path and the filters.")
        seen: dict[str, Entry] = {}
        for entry in self.entries:
            if not entry.id or not entry.landmark_id:
                raise UserError(f"an id and a landmark for {entry.path}", f"{entry.id!r} and {entry.landmark_id!r}",
                                f"Mend that line of {self.source}.")
            if entry.id in seen:
                raise UserError(f"each id once in {self.source}",
                                f"{entry.id!r} for {seen[entry.id].path} and {entry.path}", "Rename or remove one.")
            seen[entry.id] = entry

    @property
    def landmark_counts(self) -> Counter[str]:
        """The number of photographs of each landmark."""
        return Counter(entry.landmark_id for entry in self.entries)

    def landmarks_of(self, ids: Collection[str]) -> set[str]:
        """Returns the landmarks that the photographs named `ids` show; unknown ids count for nothing."""
        ids = set(ids)
        return {entry.landmark_id for entry in self.entries if entry.id in ids}

    def with_min_count(self, minimum: int) -> "Catalogue":
        """Returns the landmarks that have at least `minimum` photographs."""
        counts = self.landmark_counts
        return replace(self, entries=tuple(e for e in self.entries if counts[e.landmark_id] >= minimum))

    def with_most_pictures(self, landmarks: int) -> "Catalogue":
        """Returns the `landmarks` landmarks that have the most photographs; of equal ones those that are named first."""
        counts = self.landmark_counts
        kept = set(sorted(counts, key=lambda name: (-counts[name], name))[:landmarks])
        return replace(self, entries=tuple(e for e in self.entries if e.landmark_id in kept))

    def without_landmarks(self, landmark_ids: Collection[str]) -> "Catalogue":
        """Returns the photographs of all other landmarks."""
        landmark_ids = set(landmark_ids)
        return replace(self, entries=tuple(e for e in self.entries if e.landmark_id not in landmark_ids))

    def without_ids(self, ids: Collection[str]) -> "Catalogue":
        """Returns all other photographs."""
        ids = set(ids)
        return replace(self, entries=tuple(e for e in self.entries if e.id not in ids))

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)
