"""Summary of a report in plain words."""

from landmark_zoo.data.manifest import Manifest
from landmark_zoo.evaluation.comparison import Comparison, signed
from landmark_zoo.evaluation.results import Measure, Results
from landmark_zoo.report.html import interval, percent
from landmark_zoo.report.scores import unlike
from landmark_zoo.report.training_run import TrainingRun

MODEL_FACTS = {"parameters": "{} parameters", "embedding_dim": "embeddings of {} numbers"}


def summary(results: list[Results], run: TrainingRun | None, manifest: Manifest | None, unseen: bool = False) -> str:
    """Returns one paragraph: what was trained on what, how well the last system works, how it compares.

    It is compared with the first system and with the one before it. A difference counts as clear only where its 95 %
    interval leaves zero out; unlike protocol cards are named.

    Args:
        results: From the starting point to the system that matters.
        run: Training run.
        manifest: Manifest of the training records.
        unseen: Whether no landmark of the benchmark was trained on.
    """
    *earlier, last = results
    rivals = [result for result in earlier if result.comparable(last)]
    sentences = [_training(run, manifest), _recognition(run), _gain(run), _test(last, unseen),
                 *(_change(rival, last) for rival in rivals[:1] + rivals[1:][-1:]), _caution(rivals, last)]
    return " ".join(sentence for sentence in sentences if sentence)


def _training(run: TrainingRun | None, manifest: Manifest | None) -> str:
    told = run.facts if run else {}
    images = manifest.num_examples if manifest else told.get("photographs")
    landmarks = manifest.num_classes if manifest else told.get("num_classes")
    data = f"{_count(images)} photographs of {_count(landmarks)} landmarks" if images and landmarks else ""
    if run is None or not run.training:
        held = f"The training records hold {data}." if data else ""
        return f"{held} Nothing was trained, and the export is the start: {run.not_trained}.".strip() if (
            run and run.not_trained) else held
    facts = ", ".join(text.format(_count(told[name])) for name, text in MODEL_FACTS.items() if told.get(name))
    return (f"{run.model or 'The model'}{f' ({facts})' if facts else ''} was trained for "
            f"{run.training[-1]['step']:,} steps{f' on {data}' if data else ''}.")


def _recognition(run: TrainingRun | None) -> str:
    accuracy = run.validation[-1].get("validation_accuracy") if run and run.validation else None
    if not isinstance(accuracy, int | float):
        return ""
    return f"At the end it names {percent(accuracy)} % of the validation photographs of these landmarks rightly."


def _gain(run: TrainingRun | None) -> str:
    """Returns whether training helped on landmarks that it did not see, and which checkpoint it left; "" where unknown."""
    if run is None or not run.selection:
        return ""
    kept, start, difference = run.selection["kept"], run.selection["start"], run.selection["gain"]
    where = f"on {run.selection['photographs']:,} photographs of {run.selection['landmarks']:,} landmarks kept out of it"
    if not kept["step"]:
        return (f"Training did not help: {where}, the mean average precision ({percent(start['retrieval_map'])} % at the "
                "start) was not above that after any epoch; the export is the start.")
    word = "gained" if difference["value"] >= 0 else "lost"
    span = f"{signed(difference['low'])} to {signed(difference['high'])}"
    clear = "" if difference["low"] > 0 or difference["high"] < 0 else ", which includes zero: it is not clear"
    chosen = "the best epoch on these very photographs, which flatters a little" if run.selection["keep"] == "best" else (
        "the last checkpoint")
    return (f"Training {word} {100 * abs(difference['value']):.1f} points of mean average precision {where} (from "
            f"{percent(start['retrieval_map'])} to {percent(kept['retrieval_map'])} %; 95 % interval over landmarks {span}"
            f"{clear}); the export is step {kept['step']:,}{run.interpolation}, {chosen}.")


def _test(last: Results, unseen: bool) -> str:
    which = "; it is one that training never saw" if unseen else ""
    score = (f"The test is to find, for each of {last.card.queries_used:,} query photographs of {last.card.benchmark}, the "
             f"other photographs of the same landmark{which}. “{last.name}” reaches a mean average precision "
             f"({last.main_metric}) of {_with_interval(last.main)}")
    if last.first_right and last.first_right.value is not None:
        score += f", and the first photograph returned is right for {percent(last.first_right.value)} % of the queries"
    return f"{score}."


def _change(rival: Results, last: Results) -> str:
    start = f"Against “{rival.name}” ({percent(rival.main.value)} %) it is"
    difference = Comparison.between(rival, last)
    if difference:
        return f"{start} {_verdict(difference)}."
    if not _apart(rival.main, last.main):
        return f"{start} not clearly better or worse; the two share no queries."
    better = "better" if last.main.value > rival.main.value else "worse"
    return f"{start} {better}: the two share no queries, but their intervals are apart."


def _verdict(difference: Comparison) -> str:
    points = f"{100 * abs(difference.value):.1f} points {'better' if difference.value >= 0 else 'worse'}"
    span = f"{signed(difference.low)} to {signed(difference.high)}"
    if difference.clear:
        return f"{points} (95 % interval {span}), a clear {'gain' if difference.value > 0 else 'loss'}"
    return f"{points}, but the 95 % interval, {span}, includes zero: the difference is not clear"


def _caution(rivals: list[Results], last: Results) -> str:
    differing = ", ".join(dict.fromkeys(key for rival in rivals for key in unlike(rival, last))).replace("_", " ")
    return f"Mind that not all was measured alike: the protocol cards differ in {differing}." if differing else ""


def _with_interval(measure: Measure) -> str:
    span = interval(measure).replace("–", " to ")
    return f"{percent(measure.value)} %" + (f" (95 % interval {span})" if span else "")


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _apart(one: Measure, other: Measure) -> bool:
    if None in (one.value, one.low, one.high, other.value, other.low, other.high):
        return False
    return one.low > other.high or other.low > one.high
