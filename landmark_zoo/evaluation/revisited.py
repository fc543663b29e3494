"""Revisited Oxford and Paris, and any benchmark in their format."""

from pathlib import Path

from landmark_zoo.evaluation.graded_benchmark import GradedBenchmark
from landmark_zoo.evaluation.ground_truth_file import GroundTruthFile


class RevisitedBenchmark(GradedBenchmark):
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
