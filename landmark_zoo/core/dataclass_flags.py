"""absl flags made from a dataclass: its fields, defaults and the "Attributes" of its docstring."""

import dataclasses
import re
import types
import typing
from typing import TypeVar

from absl import flags

Config = TypeVar("Config")
_DEFINE = {bool: flags.DEFINE_boolean, int: flags.DEFINE_integer, float: flags.DEFINE_float, str: flags.DEFINE_string}


def define_flags(config: type, **defaults: object) -> None:
    """Defines one flag per field of a dataclass, named and documented as it is there.

    Args:
        config: A dataclass whose fields are bool, int, float or str, or one of them or None.
        **defaults: Other defaults than the dataclass's.
    """
    texts = attribute_texts(config)
    for field in dataclasses.fields(config):
        kind = typing.get_type_hints(config)[field.name]
        if isinstance(kind, types.UnionType):
            kind = next(option for option in typing.get_args(kind) if option is not type(None))
        default = defaults.get(field.name, None if field.default is dataclasses.MISSING else field.default)
        _DEFINE[kind](field.name, default, texts[field.name])


def from_flags(config: type[Config], flag_values: flags.FlagValues = flags.FLAGS) -> Config:
    """Makes the dataclass from the values that its flags have."""
    return config(**{field.name: flag_values[field.name].value for field in dataclasses.fields(config)})


def attribute_texts(config: type) -> dict[str, str]:
    """Returns the text of each entry of the docstring's "Attributes" section.

    Raises:
        ValueError: A field without an entry.
    """
    section = (config.__doc__ or "").partition("Attributes:")[2]
    found = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", section, re.MULTILINE)
    texts = {name: " ".join(text.split()) for name, text in found}
    missing = [field.name for field in dataclasses.fields(config) if field.name not in texts]
    if missing:
        raise ValueError(f"{config.__name__}: expected every field under Attributes; received none for {missing}.")
    return texts
