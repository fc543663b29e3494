"""What a run writes down while it trains: `history.jsonl` and TensorBoard summaries."""

import json
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.files import atomic_write
from landmark_zoo.training.full_disk import naming_full_disk


class History:
    """Appends lines of facts to `history.jsonl` and the same numbers to TensorBoard.

    Args:
        workdir: The run's folder.
        step: Where the run goes on; lines of later steps, written before a crash but after the last checkpoint, are dropped.
    """

    def __init__(self, workdir: Path, step: int):
        self.path = Path(workdir) / "history.jsonl"
        kept = [line for line in read_history(self.path) if line["step"] <= step]
        with naming_full_disk(str(self.path)), atomic_write(self.path) as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)
        self._writer = tf.summary.create_file_writer(str(Path(workdir) / "tensorboard"))

    def add(self, step: int, **facts: float) -> None:
        """Writes one line {"step": step, **facts}; a full disk is an OSError and leaves the lines before."""
        with naming_full_disk(str(self.path)):
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **facts}) + "\n")
            with self._writer.as_default():
                for name, value in facts.items():
                    tf.summary.scalar(name, value, step)
            self._writer.flush()


def read_history(path: str | Path) -> list[dict]:
    """Returns the lines of a `history.jsonl`; a last line cut off by a crash is left out, an absent file is empty."""
    path = Path(path)
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines
