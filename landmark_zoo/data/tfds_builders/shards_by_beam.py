"""Record files written by the workers of an Apache Beam pipeline."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
from absl import logging
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner

from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.make_record import MadeRecord, make_record
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.data.shard_note import PROGRESS, ShardNote
from landmark_zoo.data.shard_plan import ShardPlan
from landmark_zoo.data.write_shard import write_shard

_COLUMNS = ("id", "path", "landmark_id", "label")


def shards_by_beam(directory: Path, plan: ShardPlan, todo: Sequence[tuple[str, list[Entry]]], *,
                   runner: PipelineRunner | str | None = None, options: PipelineOptions | None = None) -> None:
    """Writes record files, each by one worker; the files are the same bytes whatever runs the pipeline.

    Only names of files pass through Beam. A worker reads the list of its file's photographs from the folder of records
    and holds one picture at a time, so memory grows with neither pictures nor files, also where a runner keeps in memory
    what is grouped. Workers must see folder and photographs under the same paths.

    Args:
        directory: The folder of records.
        plan: Of the folder.
        todo: Name and photographs of each file that is wanted.
        runner: Of Beam; by default the one in the options, or this machine.
        options: Of the pipeline.
    """
    directory = Path(directory).absolute()
    for name, entries in todo:
        write_csv(_list(directory, name), _COLUMNS, (
            (entry.id, entry.path, entry.landmark_id, plan.labels[entry.landmark_id]) for entry in entries))
    options = options or PipelineOptions([])
    if runner is None and "runner" not in options.get_all_options(drop_default=True):
        runner = FnApiRunner()
    logging.info("writing %s: %d pictures in %d files", plan.split, sum(len(entries) for _, entries in todo), len(todo))
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        names = pipeline | f"{plan.split} files" >> beam.Create([name for name, _ in todo])
        _ = names | f"write {plan.split}" >> beam.Map(_write, str(directory), plan.max_side, plan.upright)


def _write(name: str, directory: str, max_side: int | None, upright: bool) -> None:
    if ShardNote.load(directory, name) is not None:  # written by an earlier try of the same work
        return
    rows = read_csv(_list(directory, name), _COLUMNS)
    note = write_shard(directory, name, _made(rows, max_side, upright))
    beam.metrics.Metrics.counter("records", "written").inc(note.shard.examples)
    beam.metrics.Metrics.counter("records", "skipped").inc(len(note.skipped))


def _made(rows: Iterator[dict[str, str]], max_side: int | None,
          upright: bool) -> Iterator[tuple[Entry, MadeRecord | BadPhotograph]]:
    for row in rows:
        entry = Entry(row["id"], row["path"], row["landmark_id"])
        try:
            yield entry, make_record(entry, int(row["label"]), max_side=max_side, upright=upright)
        except BadPhotograph as bad:
            yield entry, bad


def _list(directory: str | Path, name: str) -> Path:
    return Path(directory, PROGRESS, f"{name}.csv")
