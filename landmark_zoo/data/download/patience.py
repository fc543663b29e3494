"""How long to wait for a server, and how often to ask again."""

import email.utils
import random
import time
from dataclasses import dataclass

LONGEST_RETRY_AFTER = 600.0


@dataclass(frozen=True)
class Patience:
    """Time-outs and retries; times in seconds.

    Attributes:
        attempts: Attempts in a row that bring nothing new before a file is given up.
        first_delay: The pause after the first of them; it doubles with each.
        longest_delay: The pause never gets longer.
        timeout: A connection that is silent for so long, or slower than `least_speed` over so long, is given up.
        least_speed: In bytes per second.
    """

    attempts: int = 6
    first_delay: float = 1.0
    longest_delay: float = 60.0
    timeout: float = 30.0
    least_speed: float = 1024.0

    def delay(self, attempt: int, seed: str, retry_after: str | None = None) -> float:
        """Returns the pause after the `attempt`-th fruitless attempt (from 1).

        Exponential back-off with jitter between half and the whole, the same for equal seeds. A server's Retry-After
        (seconds or an HTTP date) goes first, up to ten minutes.
        """
        asked = _seconds(retry_after)
        if asked is not None:
            return min(max(asked, 0.0), LONGEST_RETRY_AFTER)
        whole = min(self.longest_delay, self.first_delay * 2.0 ** min(attempt - 1, 30))
        return whole * random.Random(f"{seed}/{attempt}").uniform(0.5, 1.0)


def _seconds(retry_after: str | None) -> float | None:
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
    except ValueError:
        return None
