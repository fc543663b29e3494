"""Photographs that are records."""

import itertools

import tensorflow as tf

from landmark_zoo.data.analysis.photographs import Block, Photographs
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_ids import read_record_ids
from landmark_zoo.data.record_index import FRAME_BYTES, read_record_index
from landmark_zoo.data.schema import parse_example

_HEAD_BYTES = FRAME_BYTES - 4  # of a frame, before the data


def record_photographs(manifest: Manifest) -> Photographs:
    """Returns the photographs of a folder of records, in the order of the records; a record file is a block.

    Raises:
        UserError: A record file is damaged.
    """
    index = read_record_index(manifest)
    landmarks = [manifest.label_map.landmark_id(int(label)) for label in index.label]
    stops = list(itertools.accumulate(shard.examples for shard in manifest.shards))
    blocks = [Block(stop - shard.examples, stop, shard.sha256)
              for stop, shard in zip(stops, manifest.shards, strict=True) if shard.examples]

    def read(number: int) -> bytes:
        with open(manifest.files[index.file[number]], "rb") as file:
            file.seek(int(index.offset[number]) + _HEAD_BYTES)
            return parse_example(tf.constant(file.read(int(index.length[number])))).encoded.numpy()

    return Photographs(manifest.split, read_record_ids(manifest), landmarks, blocks, read)
