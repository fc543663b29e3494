"""One picture that is to be taken and written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shot:
    """What a file of the collection shows.

    Attributes:
        path: The file, relative to the collection.
        site: Number of the site it shows.
        view: Number of the photograph of that site.
        kind: How well the landmark shall show, one of `viewpoint.VIEWS`.
        label: Number of the site it is said to show; None for none.
        quality: JPEG quality.
        gray: It is a picture in shades of gray.
        orientation: EXIF orientation, 1 to 8: how the stored pixels are turned.
        dated: It says when it was taken.
    """

    path: str
    site: int
    view: int
    kind: str = "any"
    label: int | None = None
    quality: int = 90
    gray: bool = False
    orientation: int = 1
    dated: bool = True

    @property
    def image_id(self) -> str:
        """The file's name without its ending."""
        return self.path.rsplit("/", 1)[-1].removesuffix(".jpg")
