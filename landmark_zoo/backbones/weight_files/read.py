"""Reading of a weight file of torch or safetensors: its form is told by its first bytes."""

import mmap
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from landmark_zoo.backbones.weight_files.torch_files import (
    BFLOAT16,
    LEGACY_START,
    ZIP_START,
    item_size,
    read_legacy,
    read_zip,
    values_of,
)
from landmark_zoo.core.errors import UserError

STATE_DICTS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network")
_SAFETENSORS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": BFLOAT16, "I64": "int64", "I32": "int32",
                "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
                "BOOL": "bool"}
_BROKEN = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, AssertionError,
           RecursionError, struct.error)


def read_weight_file(path: str | Path) -> Any:
    """Returns the object of a file that torch or safetensors wrote, without torch, and without running anything in it.

    Tensors become read-only arrays that stay in the file until their values are used (bfloat16, which numpy lacks, becomes
    float32). Dicts, lists, numbers, texts and numpy arrays beside them are read too; an object of any other class is a
    `Record`: the name of its class, its arguments and attributes.

    Args:
        path: A file of `torch.save` (legacy or zip form) or a safetensors file.

    Raises:
        UserError: No such file, another form, a cut or forged one, one that names a function that could run code, or one
            past the limits (a million opcodes, 100 levels).

    Example:
        >>> read_weight_file("resnet50.pth")["state_dict"]["conv1.weight"].shape  # doctest: +SKIP
        (64, 3, 7, 7)
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ValueError("no regular file")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if mapped[:len(LEGACY_START)] == LEGACY_START:
            return read_legacy(mapped)
        if mapped[:4] == ZIP_START:
            return read_zip(mapped)
        if mapped[8:9] == b"{":
            return _read_safetensors(path, mapped)
        raise ValueError("the first bytes of another format")
    except _BROKEN as error:
        raise UserError(f"a weight file of torch or safetensors at {path}", f"{type(error).__name__}: {str(error)[:200]}",
                        "Download it again from its authors.") from error


def _read_safetensors(path: str | Path, mapped: mmap.mmap) -> dict[str, np.ndarray]:
    """Returns the tensors of a safetensors file; the package of that name checks the file, whose values stay in place."""
    try:
        from safetensors import SafetensorError, safe_open
    except ModuleNotFoundError as error:
        raise UserError("the package safetensors, to read such a file", "none",
                        'Install it: pip install "landmark_zoo[weights]".') from error
    data = np.frombuffer(mapped, np.uint8)
    position = 8 + int.from_bytes(data[:8].tobytes(), "little")
    tensors: dict[str, np.ndarray] = {}
    try:
        with safe_open(path, framework="np") as file:
            for name in file.offset_keys():  # in the order of the file, which has no holes
                part = file.get_slice(name)
                shape, kind = part.get_shape(), part.get_dtype()
                if kind not in _SAFETENSORS:
                    raise ValueError(f"a tensor of {kind}")
                size = item_size(_SAFETENSORS[kind])
                for length in shape:
                    size *= length
                tensors[name] = values_of(data[position:position + size], _SAFETENSORS[kind]).reshape(shape)
                position += size
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    if position != len(data):
        raise ValueError("a table that is not that of its tensors")
    return tensors


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a network by name: those of the file itself, or of the dict in it that holds them.

    The prefix "module." of every name, which torch's DataParallel adds, is left out.

    Raises:
        UserError: See `read_weight_file`; a file without such a dict.

    Example:
        >>> sorted(read_state_dict("resnet50.pth"))[0]  # doctest: +SKIP
        'bn1.bias'
    """
    found = read_weight_file(path)
    inner = [found.get(name) for name in STATE_DICTS] if isinstance(found, Mapping) else []
    for each in (found, *inner):
        tensors = {name: value for name, value in each.items()
                   if isinstance(name, str) and isinstance(value, np.ndarray)} if isinstance(each, Mapping) else {}
        if tensors:
            whole = all(name.startswith("module.") for name in tensors)
            return {name.removeprefix("module.") if whole else name: value for name, value in tensors.items()}
    raise UserError(f"tensors by name in {path}", "none, at its top or under " + ", ".join(STATE_DICTS),
                    "Choose a file that holds a state_dict.")
