"""Is a file the one that was written?"""

from collections.abc import Iterator

from landmark_zoo.data.doctor.shard_scan import ShardScan
from landmark_zoo.data.manifest import Manifest, Shard


def checksum(manifest: Manifest, shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Yields a line where the file's SHA-256 is another than the manifest's."""
    del manifest
    if scan.sha256 != shard.sha256:
        yield f"SHA-256 {scan.sha256[:12]}... instead of {shard.sha256[:12]}..."
