"""Where one photograph of the web is to be had, and its name here."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from landmark_zoo.core.errors import UserError

_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")


@dataclass(frozen=True, slots=True)
class PictureAddress:
    """One line of a list of addresses.

    Attributes:
        id: The photograph's name; letters, digits, "_" and "-" only, because a file is named after it.
        url: Its address.

    Raises:
        UserError: Another id.
    """

    id: str
    url: str

    def __post_init__(self):
        if not _ID.fullmatch(self.id):
            raise UserError("ids of letters, digits, _ and -", repr(self.id), "Mend the list of addresses.")

    @property
    def host(self) -> str:
        """The server, or "" where the address is none of http or https."""
        try:
            parts = urlsplit(self.url)
            return parts.netloc.lower() if parts.scheme in ("http", "https") else ""
        except ValueError:
            return ""
