"""Signals by which a scheduler asks a process to save and to end, SIGUSR1 and SIGTERM, and the times of checkpoints.

`PreemptionHandler` remembers the signal; `Trainer.fit` asks for it after each step, on all workers together
(`CheckpointSchedule`), saves, and raises `PreemptedError`; the script ends with exit code 42.
"""

import signal
import time
from collections.abc import Callable

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo, all_reduce_sum

SIGNALS = (signal.SIGUSR1, signal.SIGTERM)
SAVED = 42  # exit code: saved as asked, start the same command again
SECONDS_BETWEEN_POLLS = 1.0


class PreemptionHandler:
    """Context manager that remembers whether SIGUSR1 or SIGTERM came.

    Slurm sends SIGUSR1 some time before the time limit (`--signal=USR1@120`), SIGTERM at `scancel` and at the limit.
    TensorFlow installs a SIGTERM handler of its own when several workers connect: call `install` again after that.

    Attributes:
        received: Signal that came last; None before the first.

    Example:
        >>> with PreemptionHandler() as should_stop:
        ...     should_stop()
        False
    """

    def __init__(self):
        self.received: signal.Signals | None = None
        self._previous = {}

    def __enter__(self) -> "PreemptionHandler":
        self._previous = {number: signal.getsignal(number) for number in SIGNALS}
        self.install()
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler or signal.SIG_DFL)

    def __call__(self) -> bool:
        """Returns whether a signal came."""
        return self.received is not None

    def install(self) -> None:
        """Makes this object the handler of both signals; only from the main thread."""
        for number in SIGNALS:
            signal.signal(number, self._remember)

    def _remember(self, number: int, _) -> None:
        self.received = signal.Signals(number)


class CheckpointSchedule:
    """Decides after each step whether to save and whether to stop, alike on every worker.

    Several workers ask each other about once a second; the chief's clock says after how many steps that is.

    Args:
        config: Gives `checkpoint_steps` and `checkpoint_seconds`.
        should_stop: Returns whether this process has been asked to stop, e.g. by SIGTERM.
        step: Steps already made.
        clock: Returns seconds since some fixed moment.
    """

    def __init__(self, config: TrainingConfig, should_stop: Callable[[], bool], step: int,
                 clock: Callable[[], float] = time.monotonic):
        self._config, self._should_stop, self._clock = config, should_stop, clock
        self._worker_info = WorkerInfo.current()
        self._last_poll_step, self._next_poll_step = step, step + 1
        self._last_poll_time = self._last_save_time = clock()

    def after(self, step: int) -> tuple[bool, bool]:
        """Returns (save, stop) after a step was made; a worker that stops saves first."""
        every = self._config.checkpoint_steps
        save, stop = bool(every and step % every == 0), False
        if step >= self._next_poll_step:
            due = self._worker_info.is_chief and self._clock() - self._last_save_time > self._config.checkpoint_seconds
            num_stops, num_due, steps = all_reduce_sum(self._should_stop(), due, self._steps_to_next_poll(step))
            self._last_poll_time, self._last_poll_step, self._next_poll_step = self._clock(), step, step + int(steps)
            save, stop = save or num_stops + num_due > 0, num_stops > 0
        if save:
            self._last_save_time = self._clock()
        return save, stop

    def stop_requested(self) -> bool:
        """Returns whether any worker has been asked to stop."""
        return all_reduce_sum(self._should_stop())[0] > 0

    def _steps_to_next_poll(self, step: int) -> int:
        """Returns the chief's number of steps until the workers ask each other again; 0 on the others, to be summed."""
        if not self._worker_info.is_chief:
            return 0
        if self._worker_info.world_size == 1:
            return 1
        seconds_per_step = (self._clock() - self._last_poll_time) / (step - self._last_poll_step)
        return max(1, int(SECONDS_BETWEEN_POLLS / max(seconds_per_step, 1e-3)))
