"""One run of a study, read from its folder."""

from dataclasses import dataclass
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.report.result import Result, read_result

DONE = "study.json"


@dataclass(frozen=True)
class StudyRun:
    """What a run of `experiments.study` left.

    Attributes:
        method: How it was trained: "frozen", "end_to_end" or "off_the_shelf".
        block: The attention block, "baseline" for none.
        seed: Of the run.
        result: What was measured after training.
        before: The main metric before training; None where it was not measured.
        costs: "parameters", "block_parameters", "block_macs", "block_milliseconds", "training_seconds".
    """

    method: str
    block: str
    seed: int
    result: Result
    before: float | None
    costs: dict[str, float]


COSTS = ("parameters", "block_parameters", "block_macs", "block_milliseconds", "training_seconds")


def read_study_run(folder: str | Path) -> StudyRun:
    """Reads a finished run.

    Raises:
        UserError: The run is not finished, or a file is broken.
    """
    folder = Path(folder)
    facts = read_json(folder / DONE)
    initial = folder / "results" / "initial"
    result = read_result(folder / "results" / "trained")
    try:
        return StudyRun(str(facts["method"]), str(facts["block"]), int(facts["seed"]), result,
                        read_result(initial).main.value if initial.exists() else None,
                        {key: float(facts[key]) for key in COSTS})
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"the facts of a run in {folder / DONE}", f"{type(error).__name__}: {error}",
                        "Remove that folder and start the study again.") from error
