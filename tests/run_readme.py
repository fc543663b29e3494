"""Runs every command of README.md from its heading "Photographs" on, in order, and stops at the first that fails."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Runs the bash blocks line by line and the Python blocks whole."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Photographs")[2].partition("## Tests")[0]
    for language, block in re.findall(r"```(bash|python)\n(.*?)```", text, re.DOTALL):
        for command in block.strip().splitlines() if language == "bash" else [block]:
            print(f"$ {command}", flush=True)
            shell = ["bash", "-c", command] if language == "bash" else [sys.executable, "-c", command]
            subprocess.run(shell, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
