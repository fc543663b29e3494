"""Strict JSON: no NaN, no key twice, and the types of fields checked."""

import json
import math
import re
import reprlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from landmark_zoo.core.errors import UserError

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null", list: "a list",
          dict: "a JSON object"}
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str | bytes, finite: bool = True) -> Any:
    """Returns what a JSON text (RFC 8259) holds.

    Args:
        text: The text, bytes in UTF-8.
        finite: False to take NaN and infinity too, as Python writes them.

    Example:
        >>> parse_json('{"seed": 0}')
        {'seed': 0}

    Raises:
        ValueError: No JSON, a key that stands twice in an object, NaN, infinity or a number beyond float64, half a
            character, or lists in lists without end.
    """
    try:
        text = text if isinstance(text, str) else text.decode()
        facts = (_STRICT if finite else _LENIENT).decode(text)
        if _SURROGATE.search(text):
            json.dumps(facts, ensure_ascii=False).encode()  # half a character is a ValueError
        return facts
    except RecursionError as error:
        raise ValueError("lists in lists without end") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    facts = dict(pairs)
    if len(facts) < len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key!r} twice in one object")
    return facts


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text}, which is no finite number")
    return number


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite)
_LENIENT = json.JSONDecoder(object_pairs_hook=_object)


def check_form(facts: Any, form: Any, where: str | Path, remedy: str = "Make the file again.") -> None:
    """Checks the types of what a JSON text holds.

    A form is bool, int, float (whole numbers too), str, list, dict, object for anything, or a union of them; `[form]` for a
    list of such entries; or `{key: form}` for an object, in which a key that may be None may be absent, others may stand
    beside, and the key `str` stands for any.

    Example:
        >>> form = {"version": int, "ids": [str], "seed": int | None}
        >>> check_form({"version": 1, "ids": ["a"]}, form, "list.json")
        >>> check_form({"version": 1, "ids": ["a", 2]}, form, "list.json")
        Traceback (most recent call last):
        ...
        landmark_zoo.core.errors.UserError: Expected text for ids[1] in list.json; received 2. Make the file again.

    Args:
        facts: Content of the text.
        form: Its form.
        where: Name of the file, for the error.
        remedy: What to do, for the error.

    Raises:
        UserError: A field is missing or of another type; the first one is named.
    """
    for place, expected, received in _misfits(facts, form, ""):
        raise UserError(f"{expected} {f'for {place} ' if place else ''}in {where}", received, remedy)


def _misfits(value: Any, form: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Yields the place, the expected type and what is there instead."""
    if isinstance(form, list) and isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _misfits(entry, form[0], f"{place}[{number}]")
    elif isinstance(form, dict) and isinstance(value, dict):
        named = {key: kind for key, kind in form.items() if key is not str}
        for key, kind in {**dict.fromkeys(value, form.get(str, object)), **named}.items():
            inside = f"{place}.{key}" if place else key
            if key in value:
                yield from _misfits(value[key], kind, inside)
            elif not _fits(None, kind):
                yield inside, _name(kind), "nothing"
    elif not _fits(value, form):
        yield place, _name(form), reprlib.repr(value)


def _fits(value: Any, form: Any) -> bool:
    kinds = get_args(form) or (form,)
    return type(value) in kinds or object in kinds or (type(value) is int and float in kinds)


def _name(form: Any) -> str:
    kinds = (type(form),) if isinstance(form, list | dict) else get_args(form) or (form,)
    return " or ".join(_NAMES[kind] for kind in kinds)
