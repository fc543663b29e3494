"""Builders for tensorflow-datasets, one per collection.

    import tensorflow_datasets as tfds
    import landmark_zoo.data.tfds.builders
    train = tfds.load("gldv2/clean", split="train", data_dir="records")

`experiments.build_tfds` builds them, on one machine or several (`landmark_zoo/data/tfds/README.md`).
"""

import dataclasses
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import tensorflow_datasets as tfds

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.google_landmarks import read_gldv1, read_gldv2
from landmark_zoo.data.datasets.image_formats import without_suffix
from landmark_zoo.data.datasets.image_list import ImageList
from landmark_zoo.data.datasets.sfm120k import read_sfm
from landmark_zoo.data.synthetic.collection import Size, draw_collection
from landmark_zoo.data.tfds.base import (
    KEPT_OUT_NOTES,
    KEPT_OUT_VERSION,
    LandmarkBuilder,
    LandmarkConfig,
    train_and_validation,
)

CLEAN = "clean"
DISTRACTOR = "distractor"
_SFM_LIST = "retrieval-SfM-120k.json"


class Gldv2(LandmarkBuilder):
    """Google Landmarks Dataset v2, training set, release 2.1.

    `clean`: 1,580,470 images of 81,313 landmarks; `noisy`: 4,132,914 of 203,094.
    """

    VERSION, RELEASE_NOTES = KEPT_OUT_VERSION, KEPT_OUT_NOTES
    HOMEPAGE = "https://github.com/cvdfoundation/google-landmark"
    CITATION = """@inproceedings{weyand2020google,
      title={Google Landmarks Dataset v2: A Large-Scale Benchmark for Instance-Level Recognition and Retrieval},
      author={Weyand, Tobias and Araujo, Andre and Cao, Bingyi and Sim, Jack}, booktitle={CVPR}, year={2020}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds train.csv, train_clean.csv and, unpacked, train/a/b/c/<id>.jpg."
    BUILDER_CONFIGS = (LandmarkConfig(name=CLEAN, description="The list train_clean.csv."),
                       LandmarkConfig(name="noisy", description="All of train.csv."))

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        clean = self.builder_config.name.split("-")[0] == CLEAN
        return train_and_validation(read_gldv2(photos, clean=clean), self.builder_config)


class Gldv1(LandmarkBuilder):
    """Google Landmarks Dataset v1, training set: 1,225,029 addresses of 14,951 landmarks, many of them dead today."""

    VERSION, RELEASE_NOTES = KEPT_OUT_VERSION, KEPT_OUT_NOTES
    HOMEPAGE = "https://www.kaggle.com/google/google-landmarks-dataset"
    CITATION = """@inproceedings{noh2017large,
      title={Large-Scale Image Retrieval with Attentive Deep Local Features},
      author={Noh, Hyeonwoo and Araujo, Andre and Sim, Jack and Weyand, Tobias and Han, Bohyung},
      booktitle={ICCV}, year={2017}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds train.csv and what could be fetched, train/<id>.jpg."
    BUILDER_CONFIGS = (LandmarkConfig(name="default"),)

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        return train_and_validation(read_gldv1(photos), self.builder_config)


def read_buildings(photos: str | Path, ids: Collection[str] | None = None) -> ImageList:
    """Reads images such as `all_souls_000013.jpg`; the landmark is the search term in the name, `all_souls`.

    It is not the ground truth: many images show something else.

    Args:
        photos: Folder that holds the images, at any depth.
        ids: Ids wanted, None for all; those without a file go into `missing`.
    """
    image_list, wanted = read_folder([photos]), set(map(without_suffix, ids or ()))
    entries = tuple(replace(entry, landmark_id=re.sub(r"_\d+$", "", entry.id)) for entry in image_list
                    if ids is None or entry.id in wanted)
    found = {entry.id for entry in entries}
    return ImageList(entries, image_list.source, tuple(sorted(wanted - found)))


def read_revisited(photos: str | Path, name: str) -> dict[str, ImageList]:
    """Reads the index images and the queries that `gnd_<name>.json` lists.

    Args:
        photos: Folder that holds the images and the list, with keys `imlist` and `qimlist` as in the original pickle.
        name: "roxford5k" or "rparis6k".

    Returns:
        The image lists of "index" and "query".

    Raises:
        UserError: There is no such list, or none of its images is there.
    """
    path = Path(photos, f"gnd_{name}.json")
    facts = read_json(path)
    parts = {"index": "imlist", "query": "qimlist"}
    if not isinstance(facts, dict) or not all(isinstance(facts.get(key), list) for key in parts.values()):
        raise UserError(f"lists named imlist and qimlist in {path}", "something else", "Convert the pickle again.")
    return {split: read_buildings(photos, set(facts[key])) for split, key in parts.items()}


class Oxford5k(LandmarkBuilder):
    """Oxford Buildings: 5,063 images, 11 landmarks with 5 queries each.

    Images keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    image is what was searched for, not the ground truth.
    """

    HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/oxbuildings/"
    CITATION = """@inproceedings{philbin2007object,
      title={Object Retrieval with Large Vocabularies and Fast Spatial Matching},
      author={Philbin, James and Chum, Ondrej and Isard, Michael and Sivic, Josef and Zisserman, Andrew},
      booktitle={CVPR}, year={2007}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds the photographs as unpacked, at any depth."
    UPRIGHT = False

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        return {"index": read_buildings(photos)}


class Paris6k(LandmarkBuilder):
    """Paris Buildings: 6,412 images, 20 of them damaged, 11 landmarks with 5 queries each.

    Images keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    image is what was searched for, not the ground truth.
    """

    HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/parisbuildings/"
    CITATION = """@inproceedings{philbin2008lost,
      title={Lost in Quantization: Improving Particular Object Retrieval in Large Scale Image Databases},
      author={Philbin, James and Chum, Ondrej and Isard, Michael and Sivic, Josef and Zisserman, Andrew},
      booktitle={CVPR}, year={2008}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds the photographs as unpacked, at any depth."
    UPRIGHT = False

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        return {"index": read_buildings(photos)}


class RevisitedBuilder(LandmarkBuilder, skip_registration=True):
    """A revisited benchmark, whose list of images is `gnd_<name>.json` beside the images."""

    HOMEPAGE = "http://cmp.felk.cvut.cz/revisitop/"
    CITATION = """@inproceedings{radenovic2018revisiting,
      title={Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking},
      author={Radenovic, Filip and Iscen, Ahmet and Tolias, Giorgos and Avrithis, Yannis and Chum, Ondrej},
      booktitle={CVPR}, year={2018}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "The folder holds gnd_<name>.json, the content of the original .pkl as JSON, and the photographs, at any depth.")
    UPRIGHT = False

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        return read_revisited(photos, self.name)


class Roxford5k(RevisitedBuilder):
    """Revisited Oxford: 4,993 index images and 70 queries.

    Images keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    image is what was searched for, not the ground truth, which stays in gnd_roxford5k.json.
    """


class Rparis6k(RevisitedBuilder):
    """Revisited Paris: 6,322 index images and 70 queries.

    Images keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    image is what was searched for, not the ground truth, which stays in gnd_rparis6k.json.
    """


class Revisitop1m(LandmarkBuilder):
    """R1M: about a million images that show none of the landmarks of Oxford and Paris; all are of one label.

    Images keep their bytes.
    """

    HOMEPAGE = "http://cmp.felk.cvut.cz/revisitop/"
    CITATION = """@inproceedings{radenovic2018revisiting,
      title={Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking},
      author={Radenovic, Filip and Iscen, Ahmet and Tolias, Giorgos and Avrithis, Yannis and Chum, Ondrej},
      booktitle={CVPR}, year={2018}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds the photographs as unpacked from the 100 archives, at any depth."
    UPRIGHT = False

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        image_list = read_folder([photos])
        return {"index": replace(image_list, entries=tuple(replace(e, landmark_id=DISTRACTOR) for e in image_list))}


class Sfm120k(LandmarkBuilder):
    """retrieval-SfM-120k: 117,369 images in 713 clusters, 551 of them for training and 162 for validation.

    A cluster is a landmark here; no landmark is in both splits.
    """

    HOMEPAGE = "http://cmp.felk.cvut.cz/cnnimageretrieval"
    CITATION = """@article{radenovic2018fine, title={Fine-tuning CNN Image Retrieval with No Human Annotation},
      author={Radenovic, Filip and Tolias, Giorgos and Chum, Ondrej}, journal={TPAMI}, year={2018}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"The folder holds {_SFM_LIST}, the content of the original .pkl as JSON, and the photographs in ims/, as unpacked.")
    BUILDER_CONFIGS = (LandmarkConfig(name="default", validation_landmarks=None),)

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        return {name: read_sfm(photos / _SFM_LIST, photos / "ims", split=part)
                for name, part in (("train", "train"), ("validation", "val"))}


class LandmarkFolder(LandmarkBuilder):
    """The user's own images: every folder that directly holds images is a landmark."""

    VERSION, RELEASE_NOTES = KEPT_OUT_VERSION, KEPT_OUT_NOTES
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds one folder of images per landmark."
    BUILDER_CONFIGS = (LandmarkConfig(name="default"),)

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        return train_and_validation(read_folder([photos]), self.builder_config)


@dataclasses.dataclass(eq=False, kw_only=True)
class SyntheticConfig(LandmarkConfig):
    """Builder config of the synthetic set.

    Attributes:
        size: Number of landmarks, views and queries to draw.
    """

    size: Size = dataclasses.field(default_factory=Size)


class Synthetic(LandmarkBuilder):
    """Synthetic landmarks, the training part: nothing to download, the images are drawn first."""

    VERSION, RELEASE_NOTES = KEPT_OUT_VERSION, KEPT_OUT_NOTES
    BUILDER_CONFIGS = (
        SyntheticConfig(name="default", description="80 landmarks."),
        SyntheticConfig(name="tiny", description="4 landmarks, to try things out.", size=Size(
            train_landmarks=4, train_views=5, benchmark_landmarks=1, index_views=1, query_views=1, distractors=0,
            long_side=64)),
    )

    def _photos(self, dl_manager: tfds.download.DownloadManager) -> Path:
        config = self.builder_config
        photos = Path(self.data_dir_root, "drawn", f"{config.name}-{config.seed}")
        draw_collection(photos, seed=config.seed, workers=1, **dataclasses.asdict(config.size))
        return photos

    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        return train_and_validation(read_gldv2(photos, clean=True), self.builder_config)


BUILDERS: dict[str, type[LandmarkBuilder]] = {
    builder.name: builder for builder in (Gldv2, Gldv1, Oxford5k, Paris6k, Roxford5k, Rparis6k, Revisitop1m, Sfm120k,
                                          LandmarkFolder, Synthetic)}
