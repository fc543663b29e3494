"""How a script ends: 0 done, 2 the user's mistake, 130 interrupted."""

import errno
import logging as standard_logging
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from landmark_zoo.core.errors import UserError


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Runs `main(argv)` under absl; a user's mistake becomes one line and exit code 2."""
    logging.set_verbosity(logging.INFO)
    logging.set_stderrthreshold("info")
    handler = logging.get_absl_handler()
    handler.setFormatter(standard_logging.Formatter("%(message)s"))
    handler.addFilter(lambda record: record.levelno >= standard_logging.ERROR or "tensorflow" not in record.pathname)
    standard_logging.getLogger("tensorflow").setLevel(standard_logging.ERROR)
    app.run(lambda argv: guarded(main, argv), flags_parser=_parse_flags)


def guarded(main: Callable[[Sequence[str]], None], argv: Sequence[str]) -> None:
    """Calls `main(argv)` and exits as DESIGN's "Errors" says."""
    try:
        if len(argv) > 1:
            raise UserError("flags only", f"the argument {argv[1]!r}", "Write --flag=value; --help lists the flags.")
        main(argv)
    except UserError as error:
        sys.exit(_fail(str(error)))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" for {error.filename}" if error.filename else ""
        sys.exit(_fail(f"Expected free disk space{where}; received a full disk. Free some space and start the same "
                       "command again: it continues where it was."))
    except KeyboardInterrupt:
        print("\nInterrupted: start the same command again to continue.", file=sys.stderr)
        sys.exit(130)


def _parse_flags(argv: Sequence[str]) -> list[str]:
    try:
        return flags.FLAGS(list(argv))
    except flags.Error as error:
        sys.exit(_fail(f"{error} (--help lists the flags.)".replace("FATAL Flags parsing error:", "").strip()))
    except OSError as error:
        sys.exit(_fail(f"Expected a readable flag file; received {error}. Check --flagfile."))


def _fail(line: str) -> int:
    print(f"Error: {line}", file=sys.stderr)
    return 2
