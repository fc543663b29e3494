"""Oxford5k and Paris6k, as published and revisited: ground truth files and graded mAP.

The two kinds share boxes, files and measurement, and differ in their labels and grades of difficulty.
"""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_json, sha256
from landmark_zoo.core.pickles import read_plain_pickle
from landmark_zoo.data.datasets.folder import images_below
from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef
from landmark_zoo.data.datasets.images import check_box
from landmark_zoo.data.datasets.oxford_paris import CORRUPT, read_text_ground_truth
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.rankings import Ranking, Rankings
from landmark_zoo.evaluation.results import Results, make_results
from landmark_zoo.metrics.ranking import average_precision, precision_at_k

NAMES = ("oxford5k", "paris6k")
PRECISION_AT = (1, 5, 10)


@dataclass(frozen=True)
class OxfordParisBenchmark(Benchmark):
    """Queries with boxes and labelled index images, in one grade of difficulty or several.

    The protocol is mAP and mP@1, 5, 10 in each grade. A query without an answer counts 0; an index image without an
    embedding is not found; a query without positives in a grade is not in its mean.

    Attributes:
        PROTOCOL: Name of the protocol on the card.
        LABELS: Names of the labels.
        GRADES: Grade to the labels that are its positives and those that are its junk.
        MAIN_GRADE: Grade of the columns `average_precision` and `positives`.
        JUNK_RULE: Treatment of junk, in words.
        name: "roxford5k", "paris6k", or another.
        query_ids, index_ids: Names of the queries and of the index images.
        boxes: x1, y1, x2, y2 of each query in pixels of its image as stored.
        labels: For each query, each of `LABELS` to places in `index_ids`; the rest is negative.
        ground_truth_sha256: Checksum of the file.
    """

    PROTOCOL: ClassVar[str]
    LABELS: ClassVar[tuple[str, ...]]
    GRADES: ClassVar[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]]
    MAIN_GRADE: ClassVar[str]
    JUNK_RULE: ClassVar[str]
    apply_exif: ClassVar[bool] = False

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    boxes: tuple[tuple[float, float, float, float], ...]
    labels: tuple[Mapping[str, frozenset[int]], ...]
    ground_truth_sha256: str

    @classmethod
    def open(cls, folder: Path | None, ground_truth: Path | None, photos: Path | None) -> Self:
        """Reads a `gnd_*` file that lies elsewhere, or the only one in the folder."""
        return cls.read(ground_truth or _only_ground_truth(folder))

    @classmethod
    @abstractmethod
    def read(cls, path: str | Path) -> Self:
        """Reads a `gnd_*` file."""

    def split(self, query: int, grade: str) -> tuple[frozenset[int], frozenset[int]]:
        """Returns positives and junk of one query in one of `GRADES`, as places in `index_ids`."""
        return tuple(frozenset().union(*(self.labels[query][label] for label in labels)) for labels in self.GRADES[grade])

    def card_fields(self) -> dict[str, Any]:
        return {"protocol": self.PROTOCOL, "average_precision": "trapezoid", "junk": self.JUNK_RULE,
                "precision": "hits in kq places, divided by kq = min(k, place of the last positive)"}

    @property
    def queries_ignored(self) -> int:
        """Number of queries without positives in any grade."""
        return sum(not any(self.split(query, grade)[0] for grade in self.GRADES) for query in range(len(self.query_ids)))

    def query_images(self, locator: ImageLocator, crop: bool = True) -> list[ImageRef]:
        images = super().query_images(locator)
        return [image._replace(box=box) for image, box in zip(images, self.boxes, strict=True)] if crop else images

    def labelled_ids(self, query_id: str) -> list[str]:
        places = frozenset().union(*self.labels[self._numbers[query_id]].values())
        return [self.index_ids[place] for place in places]

    def relevance(self, query_id: str, image_id: str) -> str:
        """Returns one of `LABELS`, or "negative"; an image outside the index is negative."""
        place, labels = self._places.get(image_id), self.labels[self._numbers[query_id]]
        return next((label for label in self.LABELS if place in labels[label]), "negative")

    def evaluate(self, rankings: Rankings, name: str, seed: int = 0) -> Results:
        """Measures mAP and mP@1, 5, 10 in each grade.

        Metrics are called "mAP" in the first benchmarks, "mAP/Easy", ... in the revisited ones, whose columns
        `average_precision` and `positives` are those of Medium; the columns of all three grades follow.
        """
        figures = [self._figures(number, rankings.of(query)) for number, query in enumerate(self.query_ids)]
        return make_results(self, rankings, name, seed, queries_used=len(figures) - self.queries_ignored,
                        values={metric: [row[metric] for row in figures] for metric in figures[0]},
                        per_query=[self._row(number, row) for number, row in enumerate(figures)])

    def _figures(self, query: int, ranking: Ranking) -> dict[str, float]:
        figures = {}
        for grade in self.GRADES:
            positives, junk = ({self.index_ids[place] for place in places} for places in self.split(query, grade))
            ranks = ranking.ranks(positives, junk)
            figures[_graded("mAP", grade)] = average_precision(ranks, len(positives), "trapezoid")
            for k in PRECISION_AT:
                figures[_graded(f"mP@{k}", grade)] = precision_at_k(ranks, len(positives), k, "last_positive")
        return figures

    def _row(self, query: int, figures: dict[str, float]) -> dict[str, object]:
        counts = {grade: len(self.split(query, grade)[0]) for grade in self.GRADES}
        row = {"query_id": self.query_ids[query], "average_precision": figures[_graded("mAP", self.MAIN_GRADE)],
               "positives": counts[self.MAIN_GRADE]}
        if len(counts) > 1:
            row |= {f"average_precision/{grade}": figures[_graded("mAP", grade)] for grade in counts}
            row |= {f"positives/{grade}": count for grade, count in counts.items()}
        return row

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {query: number for number, query in enumerate(self.query_ids)}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {image: place for place, image in enumerate(self.index_ids)}


def _graded(metric: str, grade: str) -> str:
    return f"{metric}/{grade}" if grade else metric


@dataclass(frozen=True)
class GroundTruthFile:
    """A `gnd_*` file: lists of images, and for each query its box and lists of places in the list of index images.

    Attributes:
        name: Part of the file's name after "gnd_".
        query_ids, index_ids: Names of the queries and of the index images.
        entries: Entry of each query, a mapping.
        checksum: SHA-256 of the file.
    """

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    entries: Sequence[Any]
    checksum: str

    @classmethod
    def read(cls, path: str | Path) -> "GroundTruthFile":
        """Reads `gnd_<name>.json`, or `gnd_<name>.pkl` without unpickling it.

        Raises:
            UserError: An unreadable file, or one of another form.
        """
        path = Path(path)
        facts = read_plain_pickle(path) if path.suffix == ".pkl" else read_json(path)
        return cls.of(facts, _name(path), str(path), sha256(path))

    @classmethod
    def of(cls, facts: Any, name: str, source: str, checksum: str) -> "GroundTruthFile":
        """Checks what was read: imlist, qimlist and gnd; `source` is named in errors."""
        if not isinstance(facts, dict) or not all(isinstance(facts.get(key), list) for key in ("imlist", "qimlist", "gnd")):
            raise UserError(f"lists named imlist, qimlist and gnd in {source}", "something else", "Check --ground_truth.")
        queries, index, entries = facts["qimlist"], facts["imlist"], facts["gnd"]
        for names in (queries, index):
            if not all(isinstance(n, str) and check_relative(n, source) for n in names) or len(set(names)) != len(names):
                raise UserError(f"each image's name once in {source}", "one twice, or no name", "Check --ground_truth.")
        if not queries or len(entries) != len(queries):
            raise UserError(f"{len(queries)} entries in gnd, one for each query, in {source}", f"{len(entries)}",
                            "Check --ground_truth.")
        return cls(name, tuple(queries), tuple(index), entries, checksum)

    def boxes(self) -> tuple[tuple[float, float, float, float], ...]:
        """Returns x1, y1, x2, y2 of each query; a wrong box is a UserError that names the query."""
        return tuple(check_box(self.entry(number, "bbx"), query) for number, query in enumerate(self.query_ids))

    def entry(self, query: int, key: str) -> Any:
        """Returns what stands under `key` for a query; nothing there is a UserError."""
        entry = self.entries[query]
        if not isinstance(entry, dict) or key not in entry:
            raise UserError(f"bbx and lists of places for query {self.query_ids[query]}", f"none named {key}",
                            "Check --ground_truth, and --protocol: revisited has easy, hard and junk, oxford ok and junk.")
        return entry[key]

    def places(self, query: int, key: str) -> list[int]:
        """Returns a list of places in `index_ids`; anything else is a UserError."""
        places, name = self.entry(query, key), self.query_ids[query]
        if not isinstance(places, list):
            raise UserError(f"a list named {key} for query {name}", "something else", "Check --ground_truth.")
        wrong = [place for place in places if type(place) is not int or not 0 <= place < len(self.index_ids)]
        if wrong:
            raise UserError(f"places from 0 to {len(self.index_ids) - 1} for query {name}", repr(wrong[0]),
                            "Check --ground_truth.")
        return places

    def check_once(self, query: int, places: Sequence[int]) -> None:
        """Raises a UserError where an image of a query stands in two lists, or twice in one."""
        if len(set(places)) != len(places):
            raise UserError(f"each image once for query {self.query_ids[query]}", "one twice", "Check --ground_truth.")


class OxfordBenchmark(OxfordParisBenchmark):
    """Oxford5k, Paris6k and benchmarks in their format (Philbin et al., CVPR 2007 and 2008).

    Positives are "good" and "ok"; "junk" counts neither way. The images of the 55 queries lie among the index images and
    are positives of their own queries, as in the authors' evaluation: the first place is nearly always right.
    """

    PROTOCOL = "oxford"
    LABELS = ("positive", "junk")
    GRADES = {"": (("positive",), ("junk",))}  # noqa: RUF012, declared as a ClassVar in the base
    MAIN_GRADE = ""
    JUNK_RULE = "removed before ranks are counted; the query's own picture is a positive"

    @classmethod
    def recognizes(cls, folder: Path | None, ground_truth: Path | None) -> bool:
        """Returns whether the `gnd_*` file is named like a first benchmark, or the authors' text files are there instead."""
        if ground_truth:
            return ground_truth.is_dir() or _name(ground_truth) in NAMES
        found = _ground_truths(folder)
        return [_name(path) in NAMES for path in found] == [True] if found else _texts(folder) is not None

    @classmethod
    def open(cls, folder: Path | None, ground_truth: Path | None, photos: Path | None) -> "OxfordBenchmark":
        """Reads a `gnd_*` file, or the authors' text files; their index images are all images below `photos`.

        The 20 files of Paris that were never readable are left out.
        """
        texts = ground_truth if ground_truth and ground_truth.is_dir() else (
            _texts(folder) if not ground_truth and not _ground_truths(folder) else None)
        if not texts:
            return super().open(folder, ground_truth, photos)
        if not photos:
            raise UserError(f"photographs with the text files in {texts}", "none", "Give --photos.")
        index_ids = {image.stem for image in images_below(photos)} - CORRUPT
        return cls.read_texts(texts, index_ids, photos.resolve().name)

    @classmethod
    def read(cls, path: str | Path) -> "OxfordBenchmark":
        """Reads `gnd_<name>.json` or `.pkl` with bbx, ok (or good and ok) and junk for every query.

        Positives may also stand under easy and hard, as `experiments.prepare` writes them.

        Raises:
            UserError: An unreadable file, one of another form, a place beyond the list of index images, a positive that is
                junk as well, or a wrong box; the query is named.
        """
        return cls._of(GroundTruthFile.read(path))

    @classmethod
    def read_texts(cls, folder: str | Path, index_ids: Collection[str], name: str) -> "OxfordBenchmark":
        """Reads the files of the authors, `<landmark>_<n>_{query,good,ok,junk}.txt`.

        Args:
            folder: Folder of the files.
            index_ids: Names of all index images, which the files do not tell; they are sorted.
            name: Name of the benchmark.

        Raises:
            UserError: A file is missing or broken, or names an image that is not in `index_ids`.
        """
        facts = read_text_ground_truth(folder, index_ids)
        checksum = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return cls._of(GroundTruthFile.of(facts, name, str(folder), checksum))

    @classmethod
    def _of(cls, truth: GroundTruthFile) -> "OxfordBenchmark":
        labels = []
        for query, entry in enumerate(truth.entries):
            pairs = (("easy", "hard"), ("good", "ok")) if isinstance(entry, dict) else ()
            kinds = next((pair for pair in pairs if pair[0] in entry), ("ok",))
            positives = {place for kind in kinds for place in truth.places(query, kind)}
            junk = truth.places(query, "junk")
            truth.check_once(query, [*positives, *junk])
            labels.append({"positive": frozenset(positives), "junk": frozenset(junk)})
        return cls(truth.name, truth.query_ids, truth.index_ids, truth.boxes(), tuple(labels), truth.checksum)


class RevisitedBenchmark(OxfordParisBenchmark):
    """Easy, Medium and Hard (Radenovic et al., Revisiting Oxford and Paris, CVPR 2018).

    Queries are not among the index images.
    """

    PROTOCOL = "revisited"
    LABELS = ("easy", "hard", "junk")
    GRADES = {  # noqa: RUF012, declared as a ClassVar in the base
        "Easy": (("easy",), ("junk", "hard")),
        "Medium": (("easy", "hard"), ("junk",)),
        "Hard": (("hard",), ("junk", "easy")),
    }
    MAIN_GRADE = "Medium"
    JUNK_RULE = "removed before ranks are counted; Easy: junk and hard, Medium: junk, Hard: junk and easy"

    @classmethod
    def recognizes(cls, folder: Path | None, ground_truth: Path | None) -> bool:
        """Returns whether there is a `gnd_*` file, or several."""
        return bool(ground_truth or _ground_truths(folder))

    @classmethod
    def read(cls, path: str | Path) -> "RevisitedBenchmark":
        """Reads `gnd_<name>.json`, or the original `gnd_<name>.pkl` without unpickling it.

        Raises:
            UserError: An unreadable file, one of another form, a place beyond the list of index images, an image with
                two labels, or a wrong box; the query is named.
        """
        truth = GroundTruthFile.read(path)
        labels = []
        for query in range(len(truth.query_ids)):
            lists = {label: truth.places(query, label) for label in cls.LABELS}
            truth.check_once(query, [place for places in lists.values() for place in places])
            labels.append({label: frozenset(places) for label, places in lists.items()})
        return cls(truth.name, truth.query_ids, truth.index_ids, truth.boxes(), tuple(labels), truth.checksum)


def _name(ground_truth: Path) -> str:
    return ground_truth.stem.removeprefix("gnd_")


def _ground_truths(folder: Path) -> list[Path]:
    """Returns the `gnd_*` files of a folder, the JSON file where there are both."""
    return list({path.stem: path for suffix in ("pkl", "json") for path in sorted(folder.glob(f"gnd_*.{suffix}"))}.values())


def _only_ground_truth(folder: Path) -> Path:
    found = _ground_truths(folder)
    if len(found) != 1:
        raise UserError(f"one ground truth gnd_*.json or gnd_*.pkl in {folder}",
                        ", ".join(sorted(path.stem for path in found)) or "none", "Name it with --ground_truth.")
    return found[0]


def _texts(folder: Path) -> Path | None:
    """Returns the folder, this one or one in it, with the text files of the first benchmarks."""
    places = (folder, *sorted(filter(Path.is_dir, folder.iterdir())))
    return next((place for place in places if any(place.glob("*_query.txt"))), None)
