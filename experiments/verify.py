"""Verifies records, one line per fault, and repairs those whose images are there.

    python -m experiments.verify --data=DIR
    python -m experiments.verify --data=DIR --repair --photos=DIR

Ends with 0 where all is sound (now), 1 where faults are left, 2 where there is nothing to examine.
"""

import sys
from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import UserError, printable
from landmark_zoo.core.scripts import run
from landmark_zoo.data.manifest import MANIFEST, read_manifest
from landmark_zoo.data.verify import iter_findings, split_directories
from landmark_zoo.data.writer import damaged_shards, repair_shard

_DATA = flags.DEFINE_string("data", None, "Folder of records, or one that holds train/, validation/, ...", required=True)
_REPAIR = flags.DEFINE_boolean("repair", False, "Make missing and damaged record files again from their photographs.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the images now; by default their folder when the records were "
                              "made.")


def main(_):
    """Repairs, verifies, prints the faults."""
    folders = split_directories(_DATA.value)
    if _REPAIR.value:
        _repair([folder for folder in folders if (folder / MANIFEST).is_file()])
    faults = 0
    for finding in iter_findings(_DATA.value):
        print(finding, flush=True)
        faults += 1
    print(f"{faults:,} faults" if faults else "sound")
    sys.exit(1 if faults else 0)


def _repair(folders: list[Path]) -> None:
    for folder in folders:
        try:
            manifest = read_manifest(folder, check=False)
            damaged = damaged_shards(manifest)
        except UserError as error:
            print(printable(f"{folder.name}/{MANIFEST}: not repaired: {error}"))
            continue
        for name in damaged:
            try:
                repair_shard(manifest, name, _PHOTOS.value)
                print(printable(f"{folder.name}/{name}: repaired"))
            except UserError as error:
                print(printable(f"{folder.name}/{name}: not repaired: {error}"))


if __name__ == "__main__":
    run(main)
