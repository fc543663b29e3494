"""Provenance of a result: package versions, git commit, flags."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

from absl import flags

PACKAGES = ("landmark_zoo", "tensorflow", "tf_keras", "numpy", "scikit-learn", "faiss-cpu", "opencv-python-headless",
            "pillow")


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that a number can depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str:
    """Returns this checkout's commit ("-dirty" where files differ), or "unknown" outside a checkout."""
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True,
                              check=True).stdout.strip()
    try:
        dirty = "-dirty" if git("status", "--porcelain", "--untracked-files=no") else ""
        return git("rev-parse", "HEAD") + dirty
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def resolved_flags(flag_values: flags.FlagValues | None = None) -> dict[str, object]:
    """Returns every flag that this project's scripts defined, with the value it has in this run."""
    flag_values = flags.FLAGS if flag_values is None else flag_values
    ours = [flag for module, defined in flag_values.flags_by_module_dict().items()
            if module == "__main__" or "experiments" in module or "export" in module or "landmark_zoo" in module
            for flag in defined]
    return {flag.name: flag.value for flag in sorted(ours, key=lambda flag: flag.name)}
