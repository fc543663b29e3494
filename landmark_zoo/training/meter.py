"""What a training loop measures between two lines of its history."""

import time


class Meter:
    """Mean loss and accuracy, and images per second, since they were last read.

    Args:
        batch_size: Images of a step.
    """

    def __init__(self, batch_size: int):
        self._batch_size, self._values, self._start = batch_size, [], time.monotonic()

    def add(self, loss: float, accuracy: float) -> None:
        """Takes those of a step."""
        self._values.append((loss, accuracy))

    def read(self) -> tuple[float, float, float]:
        """Returns loss, accuracy and images per second, and starts anew."""
        now, count = time.monotonic(), len(self._values)
        loss, accuracy = (sum(column) / count for column in zip(*self._values, strict=True))
        speed = count * self._batch_size / max(now - self._start, 1e-9)
        self._values, self._start = [], now
        return loss, accuracy, speed
