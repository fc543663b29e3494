"""When a run saves, and when it ends early."""

import time
from collections.abc import Callable

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.place import Place
from landmark_zoo.training.sum_over_workers import sum_over_workers

SECONDS_BETWEEN_QUESTIONS = 1.0


class SaveTimes:
    """Decides after each step whether to save and whether to end, alike on every worker.

    The workers ask each other about once a second; the chief's clock says after how many steps that is.

    Args:
        config: `checkpoint_steps` and `checkpoint_seconds`.
        stop: Whether this process has been told to end.
        step: Steps already made.
    """

    def __init__(self, config: TrainingConfig, stop: Callable[[], bool], step: int):
        self._config, self._stop, self._place = config, stop, Place.here()
        self._asked_at, self._ask_at = step, step + 1
        self._asked = self._saved = time.monotonic()

    def after(self, step: int) -> tuple[bool, bool]:
        """Returns (save, end); who is to end saves first."""
        every = self._config.checkpoint_steps
        save, end = bool(every and step % every == 0), False
        if step >= self._ask_at:
            due = self._place.is_chief and time.monotonic() - self._saved > self._config.checkpoint_seconds
            stops, dues, steps = sum_over_workers(self._stop(), due, self._steps_between(step))
            self._asked, self._asked_at, self._ask_at = time.monotonic(), step, step + int(steps)
            save, end = save or stops + dues > 0, stops > 0
        if save:
            self._saved = time.monotonic()
        return save, end

    def told(self) -> bool:
        """Returns whether any worker has been told to end."""
        return sum_over_workers(self._stop())[0] > 0

    def _steps_between(self, step: int) -> int:
        """Returns how many steps the chief would let pass until the next question; 0 on the others."""
        if not self._place.is_chief:
            return 0
        if self._place.num_workers == 1:
            return 1
        seconds_per_step = (time.monotonic() - self._asked) / (step - self._asked_at)
        return max(1, int(SECONDS_BETWEEN_QUESTIONS / max(seconds_per_step, 1e-3)))
