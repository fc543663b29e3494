"""`kill -9` at random moments of downloading, unpacking and writing."""

import random
import shutil
import subprocess
import sys
import time

import pytest

from tests.data.download.archives import gldv2_site

KILLS = 20
SECONDS_OF_DOWNLOAD, SECONDS_OF_WRITING = 4.0, 1.0


def content(data_dir):
    """Photographs and records, without what differs between folders (manifests hold absolute paths)."""
    return {str(path.relative_to(data_dir)): path.read_bytes() for path in data_dir.rglob("*")
            if path.suffix in (".tfrecord", ".jpg")}


@pytest.mark.slow
def test_records_are_byte_identical_after_twenty_kills(serve, root, tmp_path):
    site, _ = gldv2_site(train_archives=8, images=200)
    server = serve(site)
    server.bytes_per_second = 20_000
    dice = random.Random(8)

    def start(data_dir):
        return subprocess.Popen(
            [sys.executable, "-m", "experiments.prepare", "--source=gldv2", f"--data_dir={data_dir}", "--archives=8",
             f"--mirror={server.url}", "--shards=40", "--max_side=32", "--connections=2"],
            cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def moment(process, data_dir):
        """Waits for a random moment; returns whether the process still runs."""
        writing, pause = dice.random() < 0.5, dice.random()
        if writing:
            while process.poll() is None and not (data_dir / "records").exists():
                time.sleep(0.01)
        time.sleep(pause * (SECONDS_OF_WRITING if writing else SECONDS_OF_DOWNLOAD))
        return process.poll() is None

    undisturbed = start(tmp_path / "undisturbed")
    assert undisturbed.wait() == 0, undisturbed.stderr.read()
    expected = content(tmp_path / "undisturbed")
    assert sum(name.endswith(".jpg") for name in expected) == 200
    assert sum(name.endswith(".tfrecord") for name in expected) > 40

    kills, folder = 0, tmp_path / "killed"
    while kills < KILLS:
        process = start(folder)
        if moment(process, folder):
            process.kill()
            kills += 1
        if process.wait() == 0:
            assert content(folder) == expected
            shutil.rmtree(folder)
        else:
            assert process.returncode == -9, process.stderr.read()
    last = start(folder)
    assert last.wait() == 0, last.stderr.read()
    assert content(folder) == expected
    assert not [path for path in folder.rglob("*") if path.name.endswith((".part", ".unpacking", ".tar", ".part.json"))]
