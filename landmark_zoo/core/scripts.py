"""Command lines on absl: flags made from dataclasses, one-line errors, exit codes."""

import copy
import dataclasses
import errno
import inspect
import io
import logging as standard_logging
import math
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Sequence
from typing import TextIO, TypeVar

from absl import app, flags, logging

from landmark_zoo.core.errors import UserError, printable, said_at_end
from landmark_zoo.core.outputs import check_output

flags.disclaim_key_flags()  # those of `define_flags` belong to the script that calls it: --help lists them


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Runs `main(argv)` under absl; a user's mistake becomes one line and exit code 2.

    A `main` of another module (a command under its former name) brings that module's flags and `--help`.
    """
    if main.__module__ != "__main__":
        module, script = sys.modules[main.__module__], sys.modules["__main__"]
        for flag in flags.FLAGS.get_key_flags_for_module(module.__name__):
            flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
        script.__doc__ = f"{script.__doc__}\n{module.__doc__}"
    logging.set_verbosity(logging.INFO)
    logging.set_stderrthreshold("info")
    handler = logging.get_absl_handler()
    handler.setFormatter(LineFormatter())
    sys.stdout = PrintableStream(sys.stdout)
    handler.addFilter(lambda record: record.levelno >= standard_logging.ERROR or "tensorflow" not in record.pathname)
    standard_logging.getLogger("tensorflow").setLevel(standard_logging.ERROR)
    app.run(lambda argv: guarded(main, argv), flags_parser=parse_flags)


class LineFormatter(standard_logging.Formatter):
    """Formatter of log records: the message alone, what strangers named in it printable."""

    def format(self, record: standard_logging.LogRecord) -> str:
        record = copy.copy(record)
        if isinstance(record.args, tuple):
            record.args = tuple(each if isinstance(each, (int, float)) else printable(each) for each in record.args)
        return printable(super().format(record), keep="\n\t")


class PrintableStream(io.TextIOBase):
    """Text stream in front of another, which gets line breaks and tabs but no other control characters.

    Args:
        stream: Stream that the text goes on to, such as `sys.stdout`.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(printable(text, keep="\n\t"))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        return self._stream.encoding

    @property
    def buffer(self) -> io.BufferedIOBase:
        return self._stream.buffer


def guarded(main: Callable[[Sequence[str]], None], argv: Sequence[str]) -> None:
    """Calls `main(argv)`; a `UserError` or a place that cannot be read or written ends with one line and exit code 2, an
    interrupt with 130."""
    try:
        if len(argv) > 1:
            raise UserError("flags only", f"the argument {argv[1]!r}", "Write --flag=value; --help lists the flags.")
        _check_outputs()
        with said_at_end():
            main(argv)
    except UserError as error:
        sys.exit(_fail(str(error)))
    except Exception as error:
        line = place_error(error) or _name_error(error) or _argument_error(error)
        if line is None:
            raise
        sys.exit(_fail(line))
    except KeyboardInterrupt:
        print("\nInterrupted: start the same command again to continue.", file=sys.stderr)
        sys.exit(130)


FULL_DISK = "a full disk. Free some space and start the same command again: it continues where it was."
_MAX_COMMAS = 32
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
             errno.ELOOP, errno.ENOENT, errno.ENOTEMPTY)
_CODES = {os.strerror(code): code for code in (*_FULL, *_UNUSABLE)}
_SAID = "|".join(map(re.escape, _CODES))
_SAID_BY_TENSORFLOW = re.compile(rf"(\S+); ({_SAID})\b")
_SAID_BY_FAISS = re.compile(rf"failed: (?:write error in|could not open) (.+?)(?: for \w+)?: .*?({_SAID})\b")


def place_error(error: Exception) -> str | None:
    """Returns the line for an error of the file system, raised by Python, numpy, TensorFlow or faiss; None for any other."""
    code, place = getattr(error, "errno", None), getattr(error, "filename", None)
    pattern = (_SAID_BY_TENSORFLOW if type(error).__module__.startswith("tensorflow") else
               _SAID_BY_FAISS if isinstance(error, RuntimeError) else None)
    if pattern and (said := pattern.search(str(error))):
        place, code = said[1], _CODES[said[2]]
    elif not isinstance(error, OSError):
        return None
    where = f" for {place}" if place else ""
    if code in _FULL or re.search(r"\d+ requested and \d+ written", str(error)):
        return f"Expected free disk space{where}; received {FULL_DISK}"
    if code in _UNUSABLE:
        return f"Expected a usable path{where}; received \"{os.strerror(code).lower()}\". Check the path and its rights."
    return None


def _name_error(error: Exception) -> str | None:
    """Returns the line for a name that cannot be written as UTF-8; None for any other error."""
    if not isinstance(error, UnicodeEncodeError) or "surrogate" not in error.reason:
        return None
    around = error.object[max(0, error.start - 40):error.end + 40]
    return printable(f"Expected names in UTF-8; received {' '.join(around.split())}. Rename the file or folder.")


def _argument_error(error: Exception) -> str | None:
    """Returns the line of a layer's or loss's "X: expected ...; received ..."; None for any other error."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and re.match(r"\w+: expected .+; received .+", text) else None


def define_output(name: str, default: str | None, text: str, *, file: bool | str = False,
                  required: bool = False) -> flags.FlagHolder[str]:
    """Defines a flag that names a folder or a file to write; it is checked before the command does anything.

    A value with `://` in it is a server's address, and not checked.

    Args:
        name: Flag without dashes.
        default: Its default, or None.
        text: Its help.
        file: True for a file, False for a folder, a suffix for a folder that is a file where its name ends so.
        required: True where the command cannot do without.
    """
    holder = flags.DEFINE_string(name, default, text, required=required)
    flags.FLAGS[name].written_file = file
    return holder


def _check_outputs() -> None:
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        file = getattr(flag, "written_file", None)
        if file is not None and flag.value is not None and "://" not in flag.value:
            check_output(flag.value, name, file=flag.value.endswith(file) if isinstance(file, str) else file)


class PathListParser(flags.ListParser):
    """Parser of lists in which entries may be paths with commas: the longest one that exists is one entry."""

    def parse(self, argument: str | list[str]) -> list[str]:
        if not isinstance(argument, str) or not argument:
            return super().parse(argument)
        if '"' in argument:
            return [argument] if os.path.exists(os.path.expanduser(argument)) else super().parse(argument)
        parts, entries = argument.split(","), []
        while parts:
            size = next((size for size in range(min(len(parts), _MAX_COMMAS), 1, -1)
                         if os.path.exists(os.path.expanduser(",".join(parts[:size]).strip()))), 1)
            entries.append(",".join(parts[:size]).strip())
            del parts[:size]
        return entries


def parse_flags(argv: Sequence[str]) -> list[str]:
    """Sets the flags from a command line and returns what is left; a mistake becomes one line and exit code 2.

    A `~` at the beginning of a value, or of an entry of a list, is the home folder: shells leave it after `--name=`. Numbers
    that are NaN or infinite, and settings of `define_flags` that contradict each other or are out of range, are mistakes: a
    command finds them before it does anything.
    """
    if odd := [argument for argument in argv[1:] if any("\ud800" <= letter <= "\udfff" for letter in argument)]:
        sys.exit(_fail(printable(f"Expected flags in UTF-8; received {odd[0]}. Rename the file or folder.")))
    try:
        for name in flags.FLAGS:
            if type(flags.FLAGS[name].parser) is flags.ListParser:
                flags.FLAGS[name].parser = PathListParser()
        rest = flags.FLAGS(list(argv))
        for name in flags.FLAGS:
            flag = flags.FLAGS[name]
            if flag.present and isinstance(flag.value, str):
                flag.value = os.path.expanduser(flag.value)
            elif flag.present and isinstance(flag.value, list):
                flag.value = [os.path.expanduser(entry) if isinstance(entry, str) else entry for entry in flag.value]
            if flag.present and isinstance(flag.value, float) and not math.isfinite(flag.value):
                raise UserError(f"a finite --{name}", str(flag.value), f"Mend --{name}.")
        for config in _CONFIGS:
            if all(field.name in flags.FLAGS for field in dataclasses.fields(config)):
                from_flags(config)
        return rest
    except UserError as error:
        sys.exit(_fail(str(error)))
    except flags.Error as error:
        line = f"{error} (--help lists the flags.)".replace("FATAL Flags parsing error:", "")
        sys.exit(_fail(" ".join(line.split())))
    except OSError as error:
        sys.exit(_fail(f"Expected a readable flag file; received {error}. Check --flagfile."))


def _fail(line: str) -> int:
    print(f"Error: {printable(line)}", file=sys.stderr)
    return 2


Config = TypeVar("Config")
_CONFIGS: dict[type, None] = {}  # those of `define_flags`, in order
_DEFINE = {bool: flags.DEFINE_boolean, int: flags.DEFINE_integer, float: flags.DEFINE_float, str: flags.DEFINE_string}


def define_flags(config: type, **defaults: object) -> None:
    """Defines one flag per field of a dataclass, with the field's name and its text under "Attributes".

    Args:
        config: Dataclass whose fields are bool, int, float or str, or one of them or None.
        **defaults: Defaults that differ from the dataclass's.
    """
    texts, _CONFIGS[config] = attribute_texts(config), None
    for field in dataclasses.fields(config):
        kind = typing.get_type_hints(config)[field.name]
        if isinstance(kind, types.UnionType):
            kind = next(option for option in typing.get_args(kind) if option is not type(None))
        default = defaults.get(field.name, None if field.default is dataclasses.MISSING else field.default)
        _DEFINE[kind](field.name, default, texts[field.name])


def from_flags(config: type[Config], flag_values: flags.FlagValues = flags.FLAGS) -> Config:
    """Returns the dataclass with the values of its flags."""
    return config(**{field.name: flag_values[field.name].value for field in dataclasses.fields(config)})


def attribute_texts(config: type) -> dict[str, str]:
    """Returns the text of each entry of the docstring's "Attributes" section.

    Raises:
        ValueError: A field without an entry.
    """
    texts = attribute_entries(config.__doc__ or "")
    missing = [field.name for field in dataclasses.fields(config) if field.name not in texts]
    if missing:
        raise ValueError(f"{config.__name__}: expected every field under Attributes; received none for {missing}.")
    return texts


def attribute_entries(docstring: str) -> dict[str, str]:
    """Returns name and text of each entry of a class docstring's "Attributes" section."""
    section = inspect.cleandoc(docstring).partition("Attributes:")[2]  # Python 3.13 takes the indentation out by itself
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def split_argv(argv: list[str]) -> tuple[list[str], list[str]]:
    """Returns the arguments before and behind the first "--"."""
    cut = argv.index("--") if "--" in argv else len(argv)
    return argv[:cut], argv[cut + 1:]
