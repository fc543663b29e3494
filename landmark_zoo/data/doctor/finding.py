"""One thing that is wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A fault in a folder of records.

    Attributes:
        split: The folder's name.
        file: The file in it.
        text: What is wrong with it.
    """

    split: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.split}/{self.file}: {self.text}"
