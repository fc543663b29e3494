"""Are exactly the files there that should be?"""

from collections.abc import Iterator
from pathlib import Path

from landmark_zoo.data.manifest import Manifest


def files(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yields (file, what is wrong) for each record file that is missing, of another size, or not of the manifest."""
    for shard in manifest.shards:
        path = Path(manifest.directory, shard.name)
        if not path.is_file():
            yield shard.name, "missing"
        elif path.stat().st_size != shard.bytes:
            yield shard.name, f"{path.stat().st_size:,} bytes instead of {shard.bytes:,}"
    expected = {shard.name for shard in manifest.shards}
    for path in sorted(Path(manifest.directory).glob("*.tfrecord")):
        if path.name not in expected:
            yield path.name, "not in the manifest"
