"""Builds a data set for tensorflow-datasets by Apache Beam; its folder is also one for experiments.train.

    python -m experiments.build_tfds --dataset=gldv2/clean --photos=DIR --data_dir=DIR --workers=2
    python -m experiments.build_tfds --dataset=synthetic/tiny --data_dir=DIR
    python -m experiments.build_tfds --dataset=gldv2/clean --photos=DIR --data_dir=DIR --num_shards=1024 \
        --beam_options="--runner=FlinkRunner --flink_master=HOST:8081 --environment_type=LOOPBACK"

Started again after an interruption, it goes on where it was.
"""

import dataclasses
import logging as standard_logging
import shlex
from pathlib import Path

from absl import flags, logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.pickles import read_plain_pickle
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.manifest import MANIFEST, read_manifest

_PICKLED = {"roxford5k": "gnd_roxford5k", "rparis6k": "gnd_rparis6k", "sfm120k": "retrieval-SfM-120k"}

_DATASET = flags.DEFINE_string("dataset", None, "gldv2/clean, gldv2/noisy, gldv1, oxford5k, paris6k, roxford5k, rparis6k, "
                               "revisitop1m, sfm120k, landmark_folder/NAME (any name), synthetic or synthetic/tiny.",
                               required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the unpacked images and their lists; not for synthetic.")
_DATA_DIR = define_output("data_dir", None, "Folder of tfds that gets DATASET/CONFIG/VERSION.", required=True)
_NUM_SHARDS = flags.DEFINE_integer("num_shards", None, "Record files per split; by default one per 2,000 pictures.",
                                   lower_bound=1, upper_bound=100_000)
_MAX_SIDE = flags.DEFINE_integer("max_side", 512, "Longest side of the stored images of a training set, in pixels; "
                                 "another than 512 stands in the config's name (clean-256).", lower_bound=32,
                                 upper_bound=65_500)
_LANDMARKS = flags.DEFINE_float("validation_landmarks", 0.15, "Fraction of the landmarks of a training set that are kept "
                                "out of training whole, as by experiments.prepare; another than 0.15 stands in the config's "
                                "name (clean-landmarks0). Dataset sfm120k has its own.", lower_bound=0.0, upper_bound=0.5)
_WORKERS = flags.DEFINE_integer("workers", 1, "Processes on this machine.", lower_bound=1, upper_bound=1024)
_BEAM_OPTIONS = flags.DEFINE_string("beam_options", "", "Options of the Beam pipeline, in one string, in place of "
                                    "--workers; landmark_zoo/data/tfds/README.md has those of Flink, Spark and "
                                    "Dataflow.")


def main(_):
    """Builds the data set and prints its folder for training."""
    import tensorflow_datasets as tfds
    from apache_beam.options.pipeline_options import PipelineOptions

    from landmark_zoo.data.tfds import builders as tfds_builders  # an extra, and slow to import

    name, _, config = _DATASET.value.partition("/")
    if name not in tfds_builders.BUILDERS:
        raise UserError(f"one of {', '.join(tfds_builders.BUILDERS)}", repr(name), "Check --dataset.")
    builder_class = tfds_builders.BUILDERS[name]
    if name != "synthetic" and not (_PHOTOS.value and Path(_PHOTOS.value).is_dir()):
        raise UserError(f"a folder of photographs for {name}", _PHOTOS.value or "none", "Check --photos.")
    if name in _PICKLED:
        _write_lists_as_json(Path(_PHOTOS.value), _PICKLED[name])
    builder = builder_class(data_dir=_DATA_DIR.value, config=_config(builder_class.builder_configs, config))
    standard_logging.getLogger("apache_beam").setLevel(standard_logging.WARNING)
    options = shlex.split(_BEAM_OPTIONS.value) or [f"--direct_num_workers={_WORKERS.value}",
                                                   "--direct_running_mode=multi_processing" if _WORKERS.value > 1 else
                                                   "--direct_running_mode=in_memory"]
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(
        manual_dir=_PHOTOS.value, num_shards=_NUM_SHARDS.value, try_download_gcs=False,
        beam_options=PipelineOptions(options)))
    for folder in sorted(Path(builder.data_dir).glob(f"*/{MANIFEST}")):
        manifest = read_manifest(folder.parent)
        logging.info("%s: %d images in %d files, %d skipped", manifest.split, manifest.num_examples, len(manifest.shards),
                     manifest.skipped)
    logging.info("for experiments.train: --records=%s", builder.data_dir)


def _write_lists_as_json(photos: Path, stem: str) -> None:
    if (photos / f"{stem}.pkl").is_file() and not (photos / f"{stem}.json").exists():
        write_json(photos / f"{stem}.json", read_plain_pickle(photos / f"{stem}.pkl"))


def _config(configs, name):
    if not configs:
        if name:
            raise UserError(f"no config for {_DATASET.value.split('/')[0]}", repr(name), "Check --dataset.")
        return None
    name = name or next(iter(configs))
    if name not in configs and "landmark_folder" in _DATASET.value:
        return _with_flags(dataclasses.replace(next(iter(configs.values())), name=name))
    if name not in configs:
        raise UserError(f"a config among {', '.join(configs)}", repr(name), "Check --dataset.")
    return _with_flags(configs[name])


def _with_flags(config):
    return config.with_max_side(_MAX_SIDE.value).with_validation_landmarks(_LANDMARKS.value)


if __name__ == "__main__":
    run(main)
