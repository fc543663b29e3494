"""JSON messages over TCP."""

import contextlib
import json
import socket

QUIET_SECONDS = 10  # after which a connection is tested
TESTS, SECONDS_BETWEEN_TESTS = 4, 5


class MessageSocket:
    """A connection that carries one JSON object per line and notices within 30 seconds when the other machine is gone.

    Args:
        connection: An open TCP connection, which this object then owns.
    """

    def __init__(self, connection: socket.socket):
        self._socket = connection
        for level, option, value in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                                     (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, QUIET_SECONDS),
                                     (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SECONDS_BETWEEN_TESTS),
                                     (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, TESTS)):
            connection.setsockopt(level, option, value)
        self._received = b""

    def fileno(self) -> int:
        """Returns the descriptor, for `select`."""
        return self._socket.fileno()

    def send(self, **message: object) -> bool:
        """Sends a message; returns whether the connection took it."""
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True

    def receive(self, seconds: float | None = None) -> dict | None:
        """Returns the next message, or None where the other end has gone, is silent for so long, or speaks otherwise."""
        try:
            self._socket.settimeout(seconds)
            while b"\n" not in self._received:
                more = self._socket.recv(65536)
                if not more or len(self._received) > 2**22:
                    return None
                self._received += more
            line, _, self._received = self._received.partition(b"\n")
            message = json.loads(line)
        except (OSError, ValueError):
            return None
        finally:
            with contextlib.suppress(OSError):  # closed meanwhile
                self._socket.settimeout(None)
        return message if isinstance(message, dict) else None

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()
