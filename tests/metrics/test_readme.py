"""The example of the README runs, and needs numpy only."""

import re
import subprocess
import sys


def test_the_example(root):
    text = (root / "landmark_zoo/metrics/README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    program = (f"import sys\nbefore = set(sys.modules)\n{example}\n"
               "print({name.split('.')[0] for name in set(sys.modules) - before} & "
               "{'scipy', 'sklearn', 'faiss', 'tensorflow', 'absl', 'tqdm', 'cv2', 'PIL'})")
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["0.7083333333333333", "0.75", "0.5"]
    assert lines[-1] == "set()"
