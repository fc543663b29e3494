"""What can go wrong with a file of somebody else."""


class FetchError(Exception):
    """A file that cannot be had.

    Args:
        url: Its address.
        reason: Why, in a few words.
    """

    def __init__(self, url: str, reason: str):
        self.url, self.reason = url, " ".join(reason.split())
        super().__init__(f"{url}: {self.reason}")


class PassingFault(Exception):  # noqa: N818
    """A fault after which the same request may work.

    Args:
        reason: What happened.
        retry_after: The server's Retry-After header, where it sent one.
    """

    def __init__(self, reason: str, retry_after: str | None = None):
        self.reason, self.retry_after = " ".join(reason.split()), retry_after
        super().__init__(self.reason)


class Stopped(Exception):  # noqa: N818
    """The user, or the failure of something else, ended the work; what is there stays and is used again."""


class BrokenArchive(Exception):  # noqa: N818
    """An archive that is cut or damaged: another copy may be sound."""


class HostileArchive(Exception):  # noqa: N818
    """An archive that holds what no collection of photographs holds; nothing of it was kept."""
