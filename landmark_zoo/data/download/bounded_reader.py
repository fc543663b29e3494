"""A byte stream that ends in an error instead of filling the memory or the disk."""

import io
from typing import BinaryIO

LARGEST_READ = 1 << 24


class BoundedReader(io.RawIOBase):
    """Reads another stream up to a limit, in pieces of bounded size.

    Args:
        stream: What is read; need not know its length (a gzip stream does not).
        limit: No byte beyond this place is read or skipped to.

    Raises:
        OverflowError: From `read` and `seek`, past the limit, or for a single read of more than 16 MiB (which is what an
            archive's header may ask for).
    """

    def __init__(self, stream: BinaryIO, limit: int):
        super().__init__()
        self._stream, self._limit = stream, limit
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Returns up to `size` bytes and keeps them as `last`."""
        if not 0 <= size <= LARGEST_READ:
            raise OverflowError(f"a single read of {size:,} bytes")
        self._check(self._stream.tell() + size)
        self.last = self._stream.read(size)
        return self.last

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a place from the start or from here."""
        target = offset if whence == io.SEEK_SET else self._stream.tell() + offset
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end is not known")
        self._check(target)
        return self._stream.seek(target)

    def tell(self) -> int:
        """Returns the place."""
        return self._stream.tell()

    def readable(self) -> bool:
        """Returns True."""
        return True

    def seekable(self) -> bool:
        """Returns True."""
        return True

    def _check(self, place: int) -> None:
        if place > self._limit + LARGEST_READ:
            raise OverflowError(f"more than {self._limit:,} bytes")
