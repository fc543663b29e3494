import dataclasses
import errno
import io
import logging
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write, write_csv, write_json
from landmark_zoo.core.scripts import (
    LineFormatter,
    PathListParser,
    PrintableStream,
    attribute_texts,
    define_flags,
    from_flags,
    guarded,
    parse_flags,
    place_error,
    split_argv,
)
from tests.run_script import imported_alone

PROGRAM = """
from absl import flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.scripts import run
FLAG = flags.DEFINE_integer("number", 1, "A number.")
def main(_):
    if FLAG.value == 2:
        raise UserError("one", "two", "Say one.")
    print("number", FLAG.value)
if __name__ == "__main__":
    run(main)
"""


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["--number=7"], 0, "number 7"),
    (["--number=2"], 2, "Error: Expected one; received two. Say one."),
    (["--numbr=2"], 2, "Unknown command line flag 'numbr'"),
    (["--number=x"], 2, "number"),
    (["seven"], 2, "received the argument 'seven'"),
    (["--flagfile=absent.flags"], 2, "absent.flags"),
])
def test_exit_codes_without_traceback(arguments, code, said, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert len(done.stderr.strip().splitlines()) == 1


def raising(error):
    def main(_):
        raise error
    return main


def test_full_disk_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        guarded(raising(OSError(errno.ENOSPC, "No space left on device", "out.npy")), ["script"])
    assert ended.value.code == 2
    assert "full disk" in capsys.readouterr().err


def test_what_numpy_says_of_a_full_disk(capsys):
    with pytest.raises(SystemExit):
        guarded(raising(OSError("8192 requested and 1024 written")), ["script"])
    assert "full disk" in capsys.readouterr().err


@pytest.mark.parametrize("write", [
    lambda folder: (folder / "file").mkdir(parents=True), lambda folder: (folder / "file" / "below").mkdir(),
    lambda folder: (folder / ("x" * 300)).mkdir(), lambda folder: atomic_write(folder / "file" / "x.json").__enter__(),
    lambda folder: (folder / "absent" / "x").read_bytes(), lambda folder: folder.write_bytes(b""),
    lambda folder: Path("/proc/self/x").mkdir()])
def test_a_place_that_cannot_be_written_is_one_line_that_names_it(write, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        guarded(lambda _: write(tmp_path), ["script"])
    assert ended.value.code == 2
    line, = capsys.readouterr().err.splitlines()
    assert re.match(r"Error: Expected a usable path for /\S+; received \"[a-z ]+\"\. Check the path", line)


class PermissionDeniedError(Exception):
    __module__ = "tensorflow.python.framework.errors_impl"


def test_places_of_tensorflow(capsys):
    said = "{{function_node __wrapped__SaveV2}} /proc/x/checkpoint-1; Permission denied [Op:SaveV2]"
    with pytest.raises(SystemExit):
        guarded(raising(PermissionDeniedError(said)), ["script"])
    assert "usable path for /proc/x/checkpoint-1; received \"permission denied\"" in capsys.readouterr().err


def test_what_a_layer_refuses_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        guarded(raising(ValueError("ArcFace: expected num_classes >= 2; received 1.")), ["script"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "Error: ArcFace: expected num_classes >= 2; received 1.\n"


@pytest.mark.parametrize("write", [
    lambda path: write_json(path, {"file": "\udce9glise.jpg"}), lambda path: write_csv(path, ["id"], [["\udce9glise.jpg"]]),
    lambda path: "\udce9glise.jpg".encode()])
def test_a_name_that_is_not_utf8_is_one_line_that_names_it(write, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        guarded(lambda _: write(tmp_path / "list"), ["script"])
    assert ended.value.code == 2
    line, = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: Expected names in UTF-8; received ")
    assert "\\xe9glise.jpg" in line
    assert not list(tmp_path.iterdir())


def test_a_flag_that_is_not_utf8_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        parse_flags(["script", "--photos=/\udce9glise"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == \
        "Error: Expected flags in UTF-8; received --photos=/\\xe9glise. Rename the file or folder.\n"


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    program = ("from absl import flags; from landmark_zoo.core.scripts import parse_flags\n"
               "flags.DEFINE_string('one', '', ''); flags.DEFINE_list('two', [], '')\n"
               "parse_flags(['x', '--one=~/a', '--two=~/b,c~']); print(flags.FLAGS.one, *flags.FLAGS.two)")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{tmp_path}/a", f"{tmp_path}/b", "c~"]


def test_names_in_log_lines_are_printable():
    record = logging.LogRecord("n", logging.INFO, "p", 1, "%s: %d of\n%s", ("a\n\x1b[2J", 3, Path("b\u202e")), None)
    assert LineFormatter().format(record) == "a\\n\\x1b[2J: 3 of\nb\\u202e"
    assert record.args[0] == "a\n\x1b[2J"
    record = logging.LogRecord("n", logging.INFO, "p", 1, "\x1b[2J", (), None)
    assert LineFormatter().format(record) == "\\x1b[2J"


def test_standard_output_is_printable():
    to = io.StringIO()
    print("a\x1b[2J\tb\udcff", "c", sep="\n", file=PrintableStream(to), flush=True)
    assert to.getvalue() == "a\\x1b[2J\tb\\xff\nc\n"


def test_printable_output_is_a_stream_like_the_one_behind_it(tmp_path):
    with open(tmp_path / "out.txt", "w", encoding="utf-8") as to:
        stream = PrintableStream(to)
        assert (stream.fileno(), stream.isatty(), stream.encoding) == (to.fileno(), False, "utf-8")
        stream.buffer.write(b"bytes\n")
        stream.flush()
        assert (tmp_path / "out.txt").read_bytes() == b"bytes\n"


def test_places_in_errors_are_printable(capsys):
    with pytest.raises(SystemExit):
        guarded(raising(PermissionError(errno.EACCES, "", "a\n\x1b[2J")), ["script"])
    assert "a\\n\\x1b[2J" in capsys.readouterr().err


def test_what_faiss_says_of_places():
    said = "Error in void faiss::write_index(...) at /x/index_write.cpp:499: Error: 'ret == (size * 4)' failed: "
    error = RuntimeError(f"{said}write error in /a b/c: 4051 != 2560000 (No space left on device)")
    assert place_error(error).startswith("Expected free disk space for /a b/c; received a full disk.")
    error = RuntimeError(f"{said}could not open /a b/c for writing: Is a directory")
    assert place_error(error).startswith('Expected a usable path for /a b/c; received "is a directory".')
    assert place_error(RuntimeError("No space left on device, it seems")) is None


def test_the_device_that_is_always_full(tmp_path):
    with pytest.raises(OSError, match="No space") as raised, open("/dev/full", "wb") as file:
        np.save(file, np.zeros(9))
    assert "full disk" in place_error(raised.value)
    with pytest.raises(tf.errors.OpError) as raised:
        tf.io.write_file("/dev/full", "x" * 100)
    assert "for /dev/full; received a full disk" in place_error(raised.value)


def test_a_comma_in_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a,b", "a, b,c", 'q"1,2', "plain"):
        (tmp_path / name).mkdir()
    parse = PathListParser().parse
    assert parse("a,b") == ["a,b"]
    assert parse("~/a,b") == ["~/a,b"]
    assert parse("a,b,plain,a, b,c,x") == ["a,b", "plain", "a, b,c", "x"]
    assert parse('q"1,2') == ['q"1,2']
    assert parse('"x,y",z') == ["x,y", "z"]
    assert parse("x, y") == ["x", "y"]
    assert parse("") == []
    assert parse(["x"]) == ["x"]


ROOT = Path(__file__).parents[2]
COMMANDS = sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for folder in ("experiments", "export")
                  for path in (ROOT / folder).glob("*.py") if "DEFINE_" in path.read_text(encoding="utf-8"))


WITHOUT_OUTPUT = {"experiments.compare", "experiments.launch_local", "experiments.search",
                  "experiments.verify", "export.check",
                  "experiments.weights"}  # which locks the folder of fetched files before it fetches


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_looks_at_its_output_first(command, tmp_path, capsys):
    if command == "experiments.build_tfds":
        pytest.importorskip("tensorflow_datasets")
    (tmp_path / "file").write_text("x")

    def said(**values):
        with pytest.raises(SystemExit) as ended:
            guarded(script.main, parse_flags([command, *(f"--{name}={value}" for name, value in values.items())]))
        assert ended.value.code == 2
        return capsys.readouterr().err

    with imported_alone(command) as script:
        own = flags.FLAGS.get_key_flags_for_module(command)
        written = {flag.name: flag.written_file for flag in own if hasattr(flag, "written_file")}
        assert bool(written) == (command not in WITHOUT_OUTPUT)
        asked = re.findall(r"Flag --(\w+) must have", said(**dict.fromkeys(written, "/proc/x"))) if written else []
        for name, file in written.items():
            for place in (tmp_path / "file" / "below", tmp_path / ("n" * 300), "/proc/x", "",
                          tmp_path if file is True else tmp_path / "file"):
                line = said(**dict.fromkeys(asked, "1") | {name: place})
                assert line.count("\n") == 1
                assert f"that can be written at --{name}={place}; received" in line
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_interrupt_ends_with_130():
    with pytest.raises(SystemExit) as ended:
        guarded(raising(KeyboardInterrupt()), ["script"])
    assert ended.value.code == 130


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        guarded(raising(ZeroDivisionError()), ["script"])
    with pytest.raises(OSError, match="reset"):
        guarded(raising(OSError(errno.ECONNRESET, "reset")), ["script"])


def test_user_error_goes_to_stderr(capsys):
    with pytest.raises(SystemExit) as ended:
        guarded(raising(UserError("a", "b", "Do c.")), ["script"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "Error: Expected a; received b. Do c.\n"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Some settings.

    Attributes:
        epochs: How many passes,
            in all.
        rate: How fast.
        alpha: Width; unset for none.
        strict: Whether to stop.
    """

    epochs: int = 3
    rate: float = 0.1
    alpha: float | None = None
    strict: bool = False


@pytest.fixture
def values(monkeypatch):
    values = flags.FlagValues()
    for kind in ("integer", "float", "boolean", "string"):
        define = getattr(flags, f"DEFINE_{kind}")
        monkeypatch.setitem(define_flags.__globals__["_DEFINE"],
                            {"integer": int, "float": float, "boolean": bool, "string": str}[kind],
                            lambda *words, define=define: define(*words, flag_values=values))
    return values


def test_round_trip(values):
    define_flags(Settings, epochs=5)
    values(["script", "--rate=0.5", "--strict"])
    assert from_flags(Settings, values) == Settings(epochs=5, rate=0.5, strict=True)
    assert values["epochs"].help == "How many passes, in all."


def test_a_field_without_text_is_refused():
    @dataclasses.dataclass
    class Bare:
        """Bare."""

        epochs: int = 3

    with pytest.raises(ValueError, match=r"received none for \['epochs'\]"):
        attribute_texts(Bare)


def test_words_before_and_behind_the_dashes():
    assert split_argv(["name", "--workers=2", "--", "--epochs=1", "--"]) == (["name", "--workers=2"], ["--epochs=1", "--"])
    assert split_argv(["name"]) == (["name"], [])
