"""Slurm's short form of many host names."""

import itertools
import re
import shutil
import subprocess

from landmark_zoo.core.errors import UserError


def expand_hostlist(text: str) -> list[str]:
    """Returns the host names of e.g. "gpu[08-10,12]-ib,login", in Slurm's order, which need not be alphabetical.

    Args:
        text: As in SLURM_STEP_NODELIST; several brackets in a name multiply, the last one runs fastest.

    Raises:
        UserError: Not a list of hosts.
    """
    hosts = []
    for word in _words(text):
        pieces = re.split(r"\[([^\[\]]+)\]", word)
        if any(re.search(r"[\[\]\s]", piece) for piece in pieces):
            raise _not_a_list(text)
        choices = [_numbers(piece, text) if number % 2 else [piece] for number, piece in enumerate(pieces)]
        hosts += ["".join(choice) for choice in itertools.product(*choices)]
    return hosts


def slurm_hosts(text: str) -> list[str]:
    """Returns what `scontrol show hostnames` makes of a list, or `expand_hostlist` where there is no scontrol."""
    if shutil.which("scontrol"):
        done = subprocess.run(["scontrol", "show", "hostnames", text], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.split():
            return done.stdout.split()
    return expand_hostlist(text)


def _words(text: str) -> list[str]:
    """Cuts at the commas outside brackets."""
    words = re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text.strip())
    if not words or ",".join(words) != text.strip():
        raise _not_a_list(text)
    return words


def _numbers(inside: str, text: str) -> list[str]:
    """Returns the numbers of "08-10,12" with their leading zeros."""
    found = []
    for part in inside.split(","):
        first, _, last = part.partition("-")
        last = last or first
        if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
            raise _not_a_list(text)
        found += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return found


def _not_a_list(text: str) -> UserError:
    return UserError('a list of hosts such as "node[1-2]" from Slurm', repr(text), "Start with srun.")
