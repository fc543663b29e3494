"""Which part of every batch a process reads."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """One worker's rows of every batch, and how its devices divide them.

    Worker w of W has the rows w B / W to (w + 1) B / W - 1 of each batch of B, so that the workers' rows laid end to end are
    the batch that one worker alone would have had.

    Attributes:
        num_workers: How many processes read an epoch together.
        worker: Which of them this is, from 0.
        portions: Into how many equal batches its rows are cut, one after another: one for each of its devices.

    Raises:
        ValueError: No such worker, or no portions.
    """

    num_workers: int = 1
    worker: int = 0
    portions: int = 1

    def __post_init__(self):
        if not 0 <= self.worker < self.num_workers or self.portions < 1:
            raise ValueError(f"Expected 0 <= worker < num_workers and portions >= 1; received {self}.")

    def portion(self, batch_size: int) -> int:
        """Returns how many rows each device has; a `batch_size` that does not divide so is a ValueError."""
        parts = self.num_workers * self.portions
        if batch_size < 1 or batch_size % parts:
            raise ValueError(f"Expected a batch_size that {parts} devices divide; received {batch_size}.")
        return batch_size // parts

    def rows(self, batch_size: int) -> range:
        """Returns this worker's rows of a batch."""
        count = self.portion(batch_size) * self.portions
        return range(self.worker * count, (self.worker + 1) * count)
