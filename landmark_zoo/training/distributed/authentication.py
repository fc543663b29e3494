"""Messages that only the workers of one job can send: the job's key, and a connection that signs with it.

Whoever reaches a worker's port could else end the run, or hold it up. Messages are signed (HMAC-SHA256), not secret.
"""

import hashlib
import hmac
import json
import os
import secrets
import socket
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distributed.cluster import Cluster
from landmark_zoo.training.distributed.worker_group import MessageSocket

SECRET, SECRET_FILE, MIN_SECRET = "LANDMARK_ZOO_SECRET", "~/.landmark_zoo/secret", 32
HANDSHAKE_SECONDS, SECONDS_FOR_SECRET = 2.0, 5.0


def job_key(cluster: Cluster, environ: Mapping[str, str] = os.environ) -> bytes:
    """Returns the key of a job: an HMAC of its id and addresses under the user's secret.

    The secret is the value of LANDMARK_ZOO_SECRET or, where that is not set, the content of `~/.landmark_zoo/secret`, which
    is made at the first use and which only the user can read. Machines without a common home folder need the same of either.

    Raises:
        UserError: A secret that is too short, that others can read, or that cannot be kept.
    """
    secret = environ.get(SECRET) or _secret_of(Path(os.path.expanduser(SECRET_FILE)))
    if len(secret) < MIN_SECRET:
        raise UserError(f"at least {MIN_SECRET} characters in {SECRET}", f"{len(secret)}", "Draw a longer one.")
    return hmac.digest(secret.encode(), json.dumps([cluster.job, *cluster.addresses]).encode(), hashlib.sha256)


def _secret_of(path: Path) -> str:
    """Reads the secret, after making it where there is none; of several processes one makes it and the others wait."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(MIN_SECRET))
        end = time.monotonic() + SECONDS_FOR_SECRET
        while True:
            with open(path, encoding="ascii") as file:
                facts, secret = os.fstat(file.fileno()), file.read(4096)
            if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
                raise UserError(f"a file at {path} that only you can read", f"mode {stat.S_IMODE(facts.st_mode):o} of user "
                                f"{facts.st_uid}", f"Remove it, or chmod 600 {path}.")
            if len(secret) == 2 * MIN_SECRET or time.monotonic() > end:
                return secret
            time.sleep(0.05)
    except (OSError, ValueError) as error:
        raise UserError(f"a file for the secret of your jobs at {path}", str(error), f"Mend that, or set {SECRET} to "
                        f"{MIN_SECRET} random characters or more, the same for all workers.") from error


class SignedSocket(MessageSocket):
    """Connection whose messages carry a signature, so that both ends know the other for a worker of the same job.

    Each end first sends a random number. A signature covers the key, both numbers, the message and its place, so that
    none can be sent again, sent back, or left out.

    Args:
        connection: Open socket, which this object then owns.
        key: Key of the job (`job_key`).
    """

    def __init__(self, connection: socket.socket, key: bytes):
        super().__init__(connection)
        self._key, self._mine, self._theirs = key, secrets.token_hex(16).encode(), b""
        self._sent = self._taken = 0
        self._sending = threading.Lock()
        self._send_line(self._mine)

    def send(self, **message: object) -> bool:
        """Signs and sends a message; returns whether the connection took it."""
        with self._sending:
            if not self._meet(time.monotonic() + HANDSHAKE_SECONDS):
                return False
            body = json.dumps(message).encode()
            self._sent += 1
            return self._send_line(self._signature(self._mine, self._theirs, self._sent, body) + b" " + body)

    def _read_line(self, end: float | None) -> bytes | None:
        if not self._meet(end) or (line := super()._read_line(end)) is None:
            return None
        signature, _, body = line.partition(b" ")
        self._taken += 1
        right = self._signature(self._theirs, self._mine, self._taken, body)
        return body if hmac.compare_digest(signature, right) else None

    def _meet(self, end: float | None) -> bool:
        """Reads the other end's number; one like the own one could only be sent back."""
        if self._theirs:
            return True
        with self._reading:
            if not self._theirs:
                number = super()._read_line(end)
                if number is None or len(number) != len(self._mine) or number == self._mine:
                    return False
                self._theirs = number
        return True

    def _signature(self, sender: bytes, receiver: bytes, place: int, body: bytes) -> bytes:
        return hmac.digest(self._key, b"%s %s %d %s" % (sender, receiver, place, body), hashlib.sha256).hex().encode()
