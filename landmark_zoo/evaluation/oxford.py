"""The first benchmarks of Oxford and Paris."""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from landmark_zoo.data.sources.first_ground_truth import first_ground_truth
from landmark_zoo.evaluation.graded_benchmark import GradedBenchmark
from landmark_zoo.evaluation.ground_truth_file import GroundTruthFile

NAMES = ("oxford5k", "paris6k")


class OxfordBenchmark(GradedBenchmark):
    """Oxford5k, Paris6k and benchmarks in their format (Philbin et al., CVPR 2007 and 2008).

    Positives are "good" and "ok"; "junk" counts neither way. The pictures of the 55 queries lie among the index images and
    are positives of their own queries, as in the authors' evaluation: the first place is nearly always right.
    """

    PROTOCOL = "oxford"
    LABELS = ("positive", "junk")
    GRADES = {"": (("positive",), ("junk",))}  # noqa: RUF012, declared as a ClassVar in the base
    MAIN_GRADE = ""
    JUNK_RULE = "removed before ranks are counted; the query's own picture is a positive"

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
            folder: Of the files.
            index_ids: Names of all index images, which the files do not tell; they are sorted.
            name: Of the benchmark.

        Raises:
            UserError: A file is missing or broken, or names a picture that is not in `index_ids`.
        """
        facts = first_ground_truth(folder, index_ids)
        checksum = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return cls._of(GroundTruthFile.of(facts, name, str(folder), checksum))

    @classmethod
    def _of(cls, truth: GroundTruthFile) -> "OxfordBenchmark":
        labels = []
        for query, entry in enumerate(truth.entries):
            kinds = ("easy", "hard") if "easy" in entry else ("good", "ok") if "good" in entry else ("ok",)
            positives = {place for kind in kinds for place in truth.places(query, kind)}
            junk = truth.places(query, "junk")
            truth.check_once(query, [*positives, *junk])
            labels.append({"positive": frozenset(positives), "junk": frozenset(junk)})
        return cls(truth.name, truth.query_ids, truth.index_ids, truth.boxes(), tuple(labels), truth.checksum)
