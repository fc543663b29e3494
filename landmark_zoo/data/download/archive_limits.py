"""What an archive may grow to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ArchiveLimits:
    """Bounds that no collection of photographs comes near and a bomb does not keep.

    Attributes:
        ratio: Unpacked bytes per byte of the archive (photographs do not shrink; lists do, about tenfold).
        floor: Unpacked bytes that even the smallest archive may have.
        entries: Files and folders.
    """

    ratio: int = 20
    floor: int = 1 << 26
    entries: int = 1_000_000

    def bytes_for(self, archive_bytes: int) -> int:
        """Returns how many bytes an archive of that size may unpack to."""
        return max(self.floor, self.ratio * archive_bytes)
