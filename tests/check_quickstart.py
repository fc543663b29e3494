"""Checks that the drawn quickstart taught its network something: mAP@100 trained is five times that untrained.

    make quickstart OUTPUT=DIR
    python tests/check_quickstart.py DIR
"""

import json
import sys
from pathlib import Path

LEAST = 5.0


def check(folder: str | Path) -> str:
    """Compares the results in a folder of the quickstart; ends with an error when training gained too little."""
    untrained, trained = (
        json.loads(Path(folder, "drawn", "results", name, "metrics.json").read_text())["metrics"]["mAP@100"]["value"]
        for name in ("untrained", "trained"))
    text = f"mAP@100 of the quickstart: {100 * untrained:.1f} untrained, {100 * trained:.1f} trained"
    if trained < LEAST * untrained:
        sys.exit(f"Error: Expected {LEAST:g} times the untrained figure; received {trained / untrained:.1f} times. {text}.")
    return text


if __name__ == "__main__":
    print(check(sys.argv[1]))
