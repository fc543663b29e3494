"""Is a connection still worth waiting for?"""

import time

from landmark_zoo.data.download.faults import PassingFault


class Pace:
    """Watches how fast bytes come in: a mirror that sends one now and then never runs into a time-out.

    Args:
        least_speed: In bytes per second.
        window: Seconds over which the speed is taken.
    """

    def __init__(self, least_speed: float, window: float):
        self._least, self._window = least_speed * window, window
        self._start, self._bytes = time.monotonic(), 0

    def add(self, count: int) -> None:
        """Counts bytes that came; at the end of each window a `PassingFault` if they were too few."""
        self._bytes += count
        seconds = time.monotonic() - self._start
        if seconds < self._window:
            return
        if self._bytes < self._least * seconds / self._window:
            raise PassingFault(f"only {self._bytes:,} bytes in {seconds:.0f} s")
        self._start, self._bytes = time.monotonic(), 0
