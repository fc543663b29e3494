import dataclasses

from landmark_zoo.evaluation.results import Measure
from landmark_zoo.report.summary import summary


def test_says_what_was_trained_and_how_well_it_works(make_result, make_manifest, run):
    text = summary([make_result("trained")], run, make_manifest({"a": 1200, "b": 300}))
    assert text == (
        "resnet50_se (1,234,567 parameters, embeddings of 512 numbers) was trained for 2,000 steps on 1,500 "
        "photographs of 2 landmarks. At the end it names 41.2 % of the validation photographs of these landmarks "
        "rightly. The test is to find, for each of 3 query photographs of toy, the other photographs of the same "
        "landmark. “trained” reaches a mean average precision (mAP@100) of 50.0 % (95 % interval 40.0 to 60.0), and "
        "the first photograph returned is right for 87.5 % of the queries.")


def test_a_run_that_was_not_trained_says_why(make_result, make_manifest, run):
    start = dataclasses.replace(run, facts=run.facts | {"not_trained": "too few landmarks"}, training=[], validation=[])
    text = summary([make_result("start")], start, make_manifest({"a": 5, "b": 3}))
    assert text.startswith("The training records hold 8 photographs of 2 landmarks. Nothing was trained, and the export is "
                           "the start: too few landmarks. The test is")
    assert "Nothing was trained" not in summary([make_result("start")], dataclasses.replace(start, facts={}), None)


def test_claims_unseen_landmarks_only_when_told(make_result):
    assert "never saw" in summary([make_result()], None, None, unseen=True)
    assert "never saw" not in summary([make_result()], None, None)


def test_a_clear_gain(make_result):
    text = summary([make_result("old", {"q0": 0.1, "q1": 0.2}), make_result("new", {"q0": 0.4, "q1": 0.6})], None, None)
    assert "Against “old” (15.0 %) it is 35.0 points better (95 % interval +30.0 to +40.0), a clear gain." in text
    assert "alike" not in text


def test_a_clear_loss(make_result):
    text = summary([make_result("old", {"q0": 0.4, "q1": 0.6}), make_result("new", {"q0": 0.1, "q1": 0.2})], None, None)
    assert "35.0 points worse (95 % interval −40.0 to −30.0), a clear loss" in text


def test_a_difference_within_the_interval_is_not_clear(make_result):
    text = summary([make_result("old", {"q0": 0.1, "q1": 0.9}), make_result("new", {"q0": 0.9, "q1": 0.3})], None, None)
    assert "includes zero: the difference is not clear" in text
    assert "a clear" not in text


def test_compares_with_the_first_and_the_one_before(make_result):
    text = summary([make_result(name) for name in ("first", "middle", "before", "last")], None, None)
    assert text.count("Against") == 2
    assert "Against “first”" in text
    assert "Against “before”" in text


def test_another_benchmark_is_not_compared(make_result):
    assert "Against" not in summary([make_result("a", benchmark="other"), make_result("b")], None, None)


def test_without_shared_queries_intervals_decide(make_result):
    low = make_result("low", {"x": 0.1, "y": 0.1})
    high = make_result("high", {"q0": 0.9, "q1": 0.9})
    assert "it is better: the two share no queries" in summary([low, high], None, None)
    near = make_result("near", {"q0": 0.15, "q1": 0.15})
    assert "not clearly better or worse" in summary([low, near], None, None)
    unknown = dataclasses.replace(near, metrics={"mAP@100": Measure(None, None, None)})
    assert "not clearly better or worse" in summary([unknown, low], None, None)


def test_unlike_cards_are_named(make_result):
    text = summary([make_result("a", side=224, whitening_learnt_on="x"),
                    make_result("b", side=288, whitening_learnt_on="y")], None, None)
    assert text.endswith("not all was measured alike: the protocol cards differ in side, whitening learnt on.")


def test_with_little_to_tell(make_result, make_manifest, run):
    assert summary([make_result()], None, make_manifest({"a": 2})).startswith(
        "The training records hold 2 photographs of 1 landmarks.")
    bare = dataclasses.replace(run, facts={}, validation=[])
    assert summary([make_result()], bare, None).startswith("The model was trained for 2,000 steps. The test")
    facts = {"photographs": 20, "num_classes": 4, "parameters": "many"}
    assert "The model (many parameters) was trained for 2,000 steps on 20 photographs of 4 landmarks." in summary(
        [make_result()], dataclasses.replace(run, facts=facts), None)


def test_says_what_training_gained_on_landmarks_that_it_did_not_see(make_result, selected):
    assert ("Training gained 6.1 points of mean average precision on 280 photographs of 4 landmarks kept out of it (from "
            "55.1 to 61.2 %; 95 % interval over landmarks +3.9 to +8.2); the export is step 1,000, the best epoch on these "
            "very photographs, which flatters a little. The test is") in summary([make_result()], selected, None)


def test_a_gain_that_is_not_clear_and_the_last_checkpoint(make_result, selected):
    selection = selected.selection | {"keep": "last", "gain": {"value": -0.004, "low": -0.02, "high": 0.01}}
    text = summary([make_result()], dataclasses.replace(selected, selection=selection), None)
    assert "Training lost 0.4 points" in text
    assert "over landmarks −2.0 to +1.0, which includes zero: it is not clear); the export is step 1,000, the last" in text


def test_says_how_far_from_the_start_the_weights_are(make_result, selected):
    for factor, said in ((0.5, "step 1,000, weights 0.5 of the way from the start, the best epoch"),
                         (1.0, "step 1,000, the best epoch")):
        kept = selected.selection["kept"] | {"factor": factor}
        text = summary([make_result()], dataclasses.replace(selected, selection=selected.selection | {"kept": kept}), None)
        assert f"the export is {said}" in text


def test_says_that_training_did_not_help(make_result, selected):
    selection = selected.selection | {"kept": {"step": 0, "epoch": 0, "retrieval_map": 0.551},
                                      "gain": {"value": 0.0, "low": 0.0, "high": 0.0}}
    text = summary([make_result()], dataclasses.replace(selected, selection=selection), None)
    assert "Training did not help: on 280 photographs of 4 landmarks" in text
    assert "(55.1 % at the start) was not above that after any epoch; the export is the start." in text
