"""From the name of a source to the catalogue of its photographs."""

from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.gldv1 import read_gldv1
from landmark_zoo.data.gldv2 import read_gldv2
from landmark_zoo.data.table import read_table


def read_photographs(source: str, photos: Sequence[str | Path], *, clean: bool = False,
                     columns: Sequence[str] = ("id", "path", "landmark"), strict: bool = False) -> Catalogue:
    """Reads the catalogue of a source.

    Args:
        source: "folder", "table", "gldv1", "gldv2" or "gldv2_clean".
        photos: Its folder (of "folder" one or more), or the csv file of "table".
        clean: Of "gldv2", the cleaned list.
        columns: The id, path and landmark columns of "table".
        strict: Refuse a listed picture that has no file.

    Raises:
        UserError: See the readers; or not one folder where one is needed, or not three columns.
    """
    if source == "folder":
        return read_folder(photos)
    if len(photos) != 1:
        raise UserError(f"one --photos for source {source}", f"{len(photos)}", "Name one.")
    if source == "gldv1":
        return read_gldv1(photos[0], strict=strict)
    if source in ("gldv2", "gldv2_clean"):
        return read_gldv2(photos[0], clean=clean or source == "gldv2_clean", strict=strict)
    if len(columns) != 3:
        raise UserError("three --columns (id, path, landmark)", ",".join(columns), "Name three.")
    names = dict(zip(("id_column", "path_column", "landmark_column"), columns, strict=True))
    return read_table(photos[0], **names, strict=strict)
