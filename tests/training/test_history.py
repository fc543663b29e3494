from pathlib import Path

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.history import History, create_or_check_run, read_history, read_model
from landmark_zoo.training.objectives import ObjectiveConfig


def test_lines_after_the_last_checkpoint_are_dropped(tmp_path):
    history = History(tmp_path, 0)
    for step in (1, 2, 3):
        history.add(step, loss=0.5)
    History(tmp_path, 2).add(3, loss=0.25)
    lines = [(line["step"], line["loss"]) for line in read_history(tmp_path / "history.jsonl")]
    assert lines == [(1, 0.5), (2, 0.5), (3, 0.25)]


def test_a_line_cut_off_by_a_crash(tmp_path, caplog):
    (tmp_path / "history.jsonl").write_text('{"step": 1, "loss": 2}\n{"step": 2, "lo')
    assert read_history(tmp_path / "history.jsonl") == [{"step": 1, "loss": 2}]
    assert "Line 2 of" in caplog.text
    assert read_history(tmp_path / "absent.jsonl") == []


@pytest.mark.parametrize("bad", [b"{", b"[]", b"7", b'{"loss": 1}', b'{"step": "x"}', b'{"step": true}', b"\xff\xfe",
                                 b"\0" * 40, b"[" * 100_000, b'{"step": 2, "lo{"step": 2, "loss": 1}'])
def test_a_bad_line_costs_no_other_and_is_named(tmp_path, caplog, bad):
    """Neither where it is read nor where a run goes on."""
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"step": 1, "loss": 2}\n' + bad + b'\n{"step": 3, "loss": 1, "name": "a\xe2\x80\xa8b"}\n')
    assert [line["step"] for line in read_history(path)] == [1, 3]
    assert f"Line 2 of {path} is left out" in caplog.text
    History(tmp_path, 9).add(10, loss=0.5)
    assert [line["step"] for line in read_history(path)] == [1, 3, 10]


def test_a_loss_that_is_no_number_is_kept(tmp_path):
    History(tmp_path, 0).add(1, loss=float("nan"))
    assert str(read_history(tmp_path / "history.jsonl")) == "[{'step': 1, 'loss': nan}]"


@pytest.mark.parametrize(("key", "value"), [("embedding_dim", "512"), ("model", 3), ("margin", None), ("alpha", [1])])
def test_a_configuration_of_other_types_is_named(tmp_path, key, value):
    write_json(tmp_path / "model.json", {"config": vars(ModelConfig()) | {key: value}, "num_classes": 2})
    with pytest.raises(UserError, match=rf"for config\.{key} in .*model\.json; received"):
        read_model(tmp_path)


def test_a_full_disk_leaves_the_lines_before(tmp_path):
    """/dev/full takes nothing."""
    history = History(tmp_path, 0)
    history.add(1, loss=0.5)
    kept = history.path.read_text()
    history.path = Path("/dev/full")
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        history.add(2, loss=0.25)
    assert (tmp_path / "history.jsonl").read_text() == kept


def test_round_trip_and_other_landmarks(tmp_path):
    create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {"parameters": 5})
    assert read_model(tmp_path) == (ModelConfig(), {"config": vars(ModelConfig()), "num_classes": 2, "parameters": 5})
    assert list(LabelMap.load(tmp_path / "label_map.json")) == ["7", "12"]
    with pytest.raises(UserError, match="records with other landmarks"):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "13"]), {})
    with pytest.raises(UserError, match="num_classes 2"):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12", "13"]), {})


def test_other_records_of_the_same_landmarks(tmp_path, caplog):
    def claimed(**facts):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), facts)
    claimed(photographs=9)
    assert not caplog.text
    with pytest.raises(UserError, match=r"9 images, SHA-256 unknown\).*other content \(5 images"):
        claimed(photographs=5, records_sha256="b" * 64)
    claimed(photographs=9, records_sha256="a" * 64)
    assert "does not say which records" in caplog.text
    assert read_model(tmp_path)[1]["records_sha256"] == "a" * 64
    claimed(photographs=9, records_sha256="a" * 64)
    with pytest.raises(UserError, match=r"9 images, SHA-256 aaaaaaaaaaaa\).*other content \(5 images, bbbbbbbbbbbb"):
        claimed(photographs=5, records_sha256="b" * 64)


def older(folder, config):
    """Writes the model.json of a run before revisions."""
    create_or_check_run(folder, config, LabelMap(["7"]), {})
    facts = read_json(folder / "model.json")
    for younger in ("revision", "local_stride", "score_form"):
        del facts["config"][younger]
    write_json(folder / "model.json", facts)


def test_a_run_without_a_revision_is_read_as_it_was(tmp_path):
    older(tmp_path, ModelConfig("resnet18_san_pairwise"))
    assert read_model(tmp_path)[0] == ModelConfig("resnet18_san_pairwise", revision=1)
    with pytest.raises(UserError, match=r"config of the run in .*: --revision=1; received --revision=2\. Use the flags"):
        create_or_check_run(tmp_path, ModelConfig("resnet18_san_pairwise"), LabelMap(["7"]), {})
    create_or_check_run(tmp_path, ModelConfig("resnet18_san_pairwise", revision=1), LabelMap(["7"]), {})


@pytest.mark.parametrize("config", [ModelConfig("resnet18_se"), ModelConfig("resnet18_delg")])
def test_a_run_without_a_revision_goes_on_where_its_methods_stay(tmp_path, config):
    older(tmp_path, config)
    assert read_model(tmp_path)[0] == config
    create_or_check_run(tmp_path, config, LabelMap(["7"]), {})


@pytest.mark.parametrize("facts", [{}, [], {"config": {"model": "resnet50_se", "colour": "red"}}, {"config": 3},
                                   {"config": {"model": "resnet50_se"}}])
def test_a_foreign_file(tmp_path, facts):
    write_json(tmp_path / "model.json", facts)
    with pytest.raises(UserError, match=r"a model\.json with config"):
        read_model(tmp_path)


def test_another_recipe_is_refused_by_name(tmp_path):
    def claimed(**settings):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig(**settings))
    claimed(learning_rate=1e-3)
    claimed(learning_rate=1e-3, log_steps=1, checkpoint_steps=5, checkpoint_seconds=1e9)
    with pytest.raises(UserError, match=r"--epochs=3 --learning_rate=0\.001; received --epochs=4 --learning_rate=2e-05"):
        claimed(epochs=4)
    claimed(learning_rate=1e-3)


def test_a_run_that_was_not_trained_begins_with_another_choice_of_what_is_kept(tmp_path):
    def claimed(reason=None, **settings):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {"not_trained": reason} if reason else {},
                            TrainingConfig(**settings))
    claimed("too few", epochs=5)
    claimed("too few", epochs=5)
    assert read_model(tmp_path)[1]["not_trained"] == "too few"
    with pytest.raises(UserError, match=r"--epochs=5; received --epochs=6\."):
        claimed(epochs=6, keep="last")
    claimed(epochs=5, keep="last")
    assert "not_trained" not in read_model(tmp_path)[1]
    claimed(epochs=5, keep="last")
    with pytest.raises(UserError, match="--keep=last; received --keep=best"):
        claimed(epochs=5)


def test_a_run_from_before_distillation_goes_on_without_and_is_refused_with(tmp_path):
    def claimed(**settings):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, ObjectiveConfig(**settings))
    claimed()
    recipe = read_json(tmp_path / "recipe.json")
    write_json(tmp_path / "recipe.json", {name: value for name, value in recipe.items() if "distillation" not in name})
    claimed()
    with pytest.raises(UserError, match="--distillation=none; received --distillation=both"):
        claimed(distillation="both")


def test_a_run_without_a_recipe_gets_one(tmp_path):
    create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig())
    (tmp_path / "recipe.json").unlink()
    create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig(epochs=9))
    with pytest.raises(UserError, match="--epochs=9; received --epochs=3"):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig())


def test_a_recipe_of_an_earlier_release_has_one_rate_and_weights_as_trained(tmp_path):
    def claimed(**settings):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig(**settings))
    claimed()
    recipe = read_json(tmp_path / "recipe.json")
    del recipe["layer_decay"], recipe["weight_interpolation"]
    write_json(tmp_path / "recipe.json", recipe)
    claimed()
    with pytest.raises(UserError, match=r"--layer_decay=1\.0; received --layer_decay=0\.5"):
        claimed(layer_decay=0.5)
    with pytest.raises(UserError, match="--weight_interpolation=1; received --weight_interpolation=auto"):
        claimed(weight_interpolation="auto")


def test_a_recipe_from_before_cached_features_goes_on(tmp_path):
    def claimed(**settings):
        create_or_check_run(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig(head_epochs=1, **settings))
    claimed()
    recipe = read_json(tmp_path / "recipe.json")
    assert "cache_gigabytes" not in recipe
    write_json(tmp_path / "recipe.json", {name: value for name, value in recipe.items() if name != "cached_views"})
    claimed()
    write_json(tmp_path / "recipe.json", recipe)
    claimed(cache_gigabytes=3.0)
    with pytest.raises(UserError, match="--cached_views=0; received --cached_views=4"):
        claimed(cached_views=4)
