"""A whole study on painted landmarks."""

import dataclasses

import numpy as np
import pytest

from experiments.studies.runs import run_study, study_keys
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json
from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import read_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(toys, recipe, tmp_path_factory):
    """study(**changes) runs it in one folder and returns (rows, folder)."""
    folder = tmp_path_factory.mktemp("study")

    def run(recipe=recipe, seeds=1, **options):
        arguments = {**vars(toys), **options}
        return run_study(recipe, seeds, folder, arguments["records"], arguments["benchmark"], arguments["photos"],
                         arguments["weights"], options.get("end_to_end", False)), folder
    return run


def times(folder):
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.glob("runs/*/study.json"))}


def test_two_blocks_and_one_seed(study):
    rows, folder = study()
    assert [(row.method, row.block) for row in rows] == [("off_the_shelf", "baseline"), ("frozen", "baseline"),
                                                         ("frozen", "se")]
    shelf, baseline, attended = rows
    assert shelf.mean == pytest.approx(baseline.before, abs=1e-6)
    assert shelf.before is None
    assert baseline.difference is None
    assert attended.difference.value == pytest.approx(attended.mean - baseline.mean)
    added = 2 * 128 * 8 + 8 + 128
    assert (baseline.costs["block_parameters"], attended.costs["block_parameters"]) == (0, added)
    assert attended.costs["parameters"] == baseline.costs["parameters"] + added
    card = read_json(folder / "runs" / "frozen-se-seed0" / "results" / "trained" / "metrics.json")["card"]
    assert (card["side"], card["queries_used"], card["index_images"]) == (64, 3, 15)
    assert "24 photographs of 4 landmarks, step 12 behind a frozen backbone" in card["training_data"]
    assert [row["block"] for row in read_csv(folder / "summary.csv", ["block", "mean"])] == ["baseline", "baseline", "se"]
    assert "| se | 1 |" in (folder / "table.md").read_text()
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_started_again_it_skips_what_is_done_and_adds_what_is_new(study, recipe):
    _, folder = study()
    before = times(folder)
    rows, _ = study(recipe.with_blocks(["baseline", "se", "spatial"]))
    assert len(rows) == 4
    after = times(folder)
    assert {path: after[path] for path in before} == before
    assert len(after) == len(before) + 1
    rows, _ = study(recipe.with_blocks(["spatial"]))
    assert [row.block for row in rows] == ["baseline", "spatial", "baseline", "se"]


def test_a_run_that_was_interrupted_is_finished(study):
    _, folder = study()
    run = folder / "runs" / "frozen-se-seed0"
    trained = read_json(run / "results" / "trained" / "metrics.json")
    (run / "study.json").unlink()
    (run / "results" / "trained" / "metrics.json").unlink()
    study()
    again = read_json(run / "results" / "trained" / "metrics.json")
    assert (again["metrics"], again["card"]["model_fingerprint"]) == (trained["metrics"],
                                                                      trained["card"]["model_fingerprint"])


def test_another_protocol_in_the_same_folder_is_refused(study, recipe):
    _, folder = study()
    protocol = read_json(folder / "protocol.json")  # as before there was a choice: every run is measured at its last step
    assert not {"keep", "patience"} & {*protocol["frozen"], *protocol["end_to_end"]}
    longer = dataclasses.replace(recipe, frozen=dataclasses.replace(recipe.frozen, epochs=9))
    with pytest.raises(UserError, match="received another frozen"):
        study(longer)


def test_cached_maps_and_the_exported_model_give_the_same_embeddings(study, toys, recipe, tmp_path):
    _, folder = study()
    workdir = folder / "runs" / "frozen-se-seed0" / "training"
    config, facts = read_model(workdir)  # as export.savedmodel does
    model = config.build(facts["num_classes"])
    load_weights(model, workdir)
    exported = SavedModel(export_saved_model(model, tmp_path / "model", side=recipe.side, info={}).parent)
    locator = ImageLocator(toys.photos)
    images = [ImageRef.located(f"{landmark:02d}{number:02d}", locator) for landmark in (4, 5, 6) for number in range(1, 6)]
    embeddings = embed(exported, images, tmp_path / "embeddings")
    ranking = list(read_csv(folder / "runs" / "frozen-se-seed0" / "results" / "trained" / "ranking.csv",
                            ["query_id", "index_id", "score"]))
    query = embed(exported, [ImageRef.located("0400", locator)], tmp_path / "query").vectors[0]
    scores = dict(zip(embeddings.ids, embeddings.vectors @ query, strict=True))
    found = {row["index_id"]: float(row["score"]) for row in ranking if row["query_id"] == "0400"}
    np.testing.assert_allclose([found[name] for name in scores], list(scores.values()), atol=2e-3)


@pytest.mark.slow
def test_end_to_end(study, recipe):
    rows, folder = study(recipe.with_blocks(["baseline"]), end_to_end=True)
    assert [row.method for row in rows][:3] == ["off_the_shelf", "frozen", "end_to_end"]
    assert rows[2].before is None
    assert (folder / "runs" / "end_to_end-baseline-seed0" / "model" / "1" / "saved_model.pb").exists()


def test_the_order_of_runs_leaves_whole_seeds():
    keys = study_keys(("baseline", "se"), 2, end_to_end=True)
    assert [key.name for key in keys] == [
        "off_the_shelf-baseline-seed0", "frozen-baseline-seed0", "frozen-se-seed0", "frozen-baseline-seed1",
        "frozen-se-seed1", "end_to_end-baseline-seed0", "end_to_end-se-seed0", "end_to_end-baseline-seed1",
        "end_to_end-se-seed1"]
