"""Signals by which a scheduler asks a process to save and to end: SIGUSR1 and SIGTERM.

`PreemptionHandler` remembers the signal; `Trainer.fit` asks it after each step, saves, and raises `PreemptedError`; the
script ends with exit code 42.
"""

import signal

SIGNALS = (signal.SIGUSR1, signal.SIGTERM)
SAVED = 42  # exit code: saved as asked, start the same command again


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
