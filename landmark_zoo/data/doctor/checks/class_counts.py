"""Has each landmark as many records as the manifest says?"""

from collections import Counter
from collections.abc import Iterator

from landmark_zoo.data.manifest import Manifest


def class_counts(manifest: Manifest, found: Counter[int]) -> Iterator[str]:
    """Yields a line where the records of the labels are not as many as counted when they were written.

    Args:
        manifest: Of the folder.
        found: The number of records of each label in all files.
    """
    wrong = [label for label, count in enumerate(manifest.class_counts) if found[label] != count]
    if wrong:
        first = wrong[0]
        yield (f"{len(wrong):,} labels with other counts than in the files, first {first}: "
               f"{manifest.class_counts[first]:,}, not {found[first]:,}")
