"""What an index knows of an image besides its id, and can filter by."""

from collections.abc import Mapping, Sequence

from landmark_zoo.core.errors import UserError

FIELDS = ("landmark", "source")


def checked_fields(fields: Mapping[str, Sequence[str]] | None, count: int) -> dict[str, list[str]]:
    """Returns every one of `FIELDS` with `count` texts; "" where `fields` has none.

    Raises:
        UserError: A field that is not one of `FIELDS`.
        ValueError: Not one text per image.
    """
    fields = fields or {}
    _check_names(fields)
    columns = {name: list(fields.get(name, [""] * count)) for name in FIELDS}
    for name, texts in columns.items():
        if len(texts) != count or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"Expected {count} strings for the field {name}; received {len(texts)} values.")
    return columns


def checked_where(where: Mapping[str, str | Sequence[str]] | None) -> dict[str, list[str]]:
    """Returns a filter with a list of allowed texts for each field that it names; see `Index.search`.

    Raises:
        UserError: A field that is not one of `FIELDS`.
    """
    where = where or {}
    _check_names(where)
    return {name: [allowed] if isinstance(allowed, str) else list(allowed) for name, allowed in where.items()}


def _check_names(fields: Mapping[str, object]) -> None:
    for name in fields:
        if name not in FIELDS:
            raise UserError(f"the field {' or '.join(FIELDS)}", repr(name), "Name one of them.")
