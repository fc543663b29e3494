"""Google Landmarks v2.1: lists, 620 archives, a checksum for each."""

from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.sources.source import Source

_BASE = "https://s3.amazonaws.com/google-landmark"
_FOLDER = "gldv2"
_PARTS = {"train": (500, 1_000_000_000), "index": (100, 850_000_000), "test": (20, 500_000_000)}
_LIST_BYTES = {"train.csv": 525_000_000, "train_clean.csv": 30_000_000, "train_attribution.csv": 1_000_000_000}
_SMALL_LIST = 15_000_000


def gldv2(name: str) -> Source:
    """Returns the training photographs with their lists.

    Archives `train/images_000.tar` to `images_499.tar` (about 1 GB each) unpack to `a/b/c/<id>.jpg`. Names, number and round
    sizes are those of github.com/cvdfoundation/google-landmark; the sizes of the lists are ours and rough.

    Args:
        name: "gldv2" or "gldv2_clean": the same files, of which the second reads fewer photographs.
    """
    lists = ("train.csv", "train_clean.csv", "train_attribution.csv", "train_label_to_category.csv",
             "train_label_to_hierarchical.csv")
    return Source(name, _FOLDER, (*(_list("metadata", one) for one in lists), *_archives("train")))


def gldv2_benchmark(name: str = "gldv2_benchmark") -> Source:
    """Returns index images and queries with their solutions.

    100 archives of the index, 20 of the queries. The landmark ids of the index are not those of the training lists.
    """
    lists = ("index.csv", "test.csv", "index_image_to_landmark.csv", "index_label_to_category.csv",
             "index_label_to_hierarchical.csv")
    solutions = ("recognition_solution_v2.1.csv", "retrieval_solution_v2.1.csv")
    return Source(name, _FOLDER, (*(_list("metadata", one) for one in lists),
                                  *(_list("ground_truth", one) for one in solutions),
                                  *_archives("index"), *_archives("test")))


def _list(folder: str, name: str) -> RemoteFile:
    return RemoteFile(f"{_BASE}/{folder}/{name}", f"{_FOLDER}/{name}", _LIST_BYTES.get(name, _SMALL_LIST))


def _archives(part: str) -> list[RemoteFile]:
    count, size = _PARTS[part]
    names = [f"images_{number:03d}" for number in range(count)]
    return [RemoteFile(f"{_BASE}/{part}/{name}.tar", f"{_FOLDER}/.archives/{part}/{name}.tar", size,
                       md5_url=f"{_BASE}/md5sum/{part}/md5.{name}.txt", unpack_to=f"{_FOLDER}/{part}") for name in names]
