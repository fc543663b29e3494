"""Signals that ask a process to save and to end."""

import signal

SIGNALS = (signal.SIGUSR1, signal.SIGTERM)
SAVED = 42  # exit code: saved as asked, start the same command again


class StopSignal:
    """Remembers that SIGUSR1 or SIGTERM came, as long as a `with` block lasts.

    Slurm sends one some time before the time limit (`--signal=USR1@120`) and the other at `scancel` and at the limit.
    TensorFlow takes SIGTERM for itself when several workers connect: call `listen` after that.
    """

    def __init__(self):
        self.received: signal.Signals | None = None
        self._before = {}

    def __enter__(self) -> "StopSignal":
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self.listen()
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    def __call__(self) -> bool:
        """Returns whether one came."""
        return self.received is not None

    def listen(self) -> None:
        """Takes the two signals; only from the main thread."""
        for number in SIGNALS:
            signal.signal(number, self._remember)

    def _remember(self, number: int, _) -> None:
        self.received = signal.Signals(number)
