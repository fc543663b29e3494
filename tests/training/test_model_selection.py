import dataclasses
import json
import shutil
import types

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.metrics.exact_ranks import FIGURES, retrieval_figures
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.checkpoints import (
    Checkpoints,
    kept_checkpoint,
    load_weights,
    newest_checkpoint,
    read_selection,
)
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.history import create_or_check_run, read_history
from landmark_zoo.training.model_selection import FACT, ModelSelection
from landmark_zoo.training.optimizer import Group
from landmark_zoo.training.train_step import TrainStep
from landmark_zoo.training.trainer import PreemptedError, Trainer
from landmark_zoo.training.unseen_landmarks import UnseenLandmarks

pytestmark = pytest.mark.usefixtures("eagerly")
CONFIG = TrainingConfig(epochs=4, batch_size=8, learning_rate=0.1, log_steps=1, checkpoint_steps=1, ema_momentum=0.5)
STEPS = 2  # in an epoch


def network():
    """A network of 100 weights with embeddings of length 4."""
    tf.keras.utils.set_random_seed(1)
    images = tf.keras.Input([None, None, 3])
    features = tf.keras.layers.Conv2D(4, 3, activation="relu", name="conv")(images)
    features = tf.keras.layers.GlobalAveragePooling2D()(features)
    return tf.keras.Model(images, {"embedding": tf.math.l2_normalize(features, axis=-1),
                                   "logits": tf.keras.layers.Dense(4, name="dense")(features)})


class Scripted(UnseenLandmarks):
    """Images whose figures at the n-th step of the run are what a table says, whatever the model."""

    table = types.MappingProxyType({0: 0.5, 2: 0.4, 4: 0.7, 6: 0.7, 8: 0.6})

    def measure(self, embed, dimension):
        del embed, dimension
        value = self.value()
        return {name: np.array([value - 0.1, value + 0.1, value]) for name in FIGURES}

    def value(self):
        return self.table[self.index.trainer.step]

    labels = np.array([7, 7, 7])


class Run:
    """A run of a tiny network on 8 images, in a folder, whose retrieval follows a script."""

    def __init__(self, workdir, config=CONFIG, measured=Scripted, facts=None):
        self.workdir, self.config, self.model = workdir, config, network()
        manifest = type("Manifest", (), {"fingerprint": "a" * 64})()
        create_or_check_run(workdir, ModelConfig(), LabelMap("ab"), {
            FACT: {"photographs": 3, "records_sha256": "a" * 64}} if facts is None else facts, config)
        random = np.random.default_rng(0)
        self.labels = np.array([0, 1, 2, 3] * 2, np.int32)
        self.images = random.normal(size=(8, 6, 6, 3)).astype(np.float32)
        self.trainer = Trainer(self.model, self.objective, [Group("all", self.model.trainable_variables, 1.0)], config,
                               workdir, STEPS)
        unseen = measured(manifest, self, np.arange(3), 6, 8)
        self.selection = ModelSelection.begin(unseen, config, self.trainer.checkpoints, self.model, workdir,
                                              self.trainer.step)

    def objective(self, images, labels, training):
        logits = self.model(images, training=training)["logits"]
        correct = tf.cast(tf.argmax(logits, -1, output_type=tf.int32) == labels, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits), correct

    def batches(self, epoch, skip):
        order = [np.random.default_rng([epoch, step]).permutation(8) for step in range(STEPS)][skip:]
        order = np.reshape(order, [-1, 8])
        return tf.data.Dataset.from_tensor_slices((self.images[order], self.labels[order]))

    def fit(self, should_stop=lambda: False):
        self.trainer.fit(self.batches, None, should_stop, self.selection)
        return self


def files(workdir):
    return sorted(path.name for path in (workdir / "best").iterdir() if path.suffix == ".index")


def retrieved(workdir):
    lines = read_history(workdir / "history.jsonl")
    return {line["step"]: line["retrieval_map"] for line in lines if "retrieval_map" in line}


def same_weights(left, right):
    return all(np.array_equal(one, other) for one, other in zip(left.get_weights(), right.get_weights(), strict=True))


def kept(workdir, which="kept"):
    model = network()
    return load_weights(model, workdir, which), model


def test_the_best_is_kept_and_the_start_is_measured_too(tmp_path):
    """With its moving averages, which are what is measured; a later equal figure changes nothing."""
    run = Run(tmp_path)
    averages = {}
    measure = run.selection.measure

    def remember(step, epoch):
        averages[step] = run.model.get_weights()
        return measure(step, epoch)
    run.selection.measure = remember
    run.fit()
    assert retrieved(tmp_path) == pytest.approx(Scripted.table)
    assert kept_checkpoint(tmp_path) == "best"
    step, model = kept(tmp_path)
    assert step == 4
    for left, right in zip(model.get_weights(), averages[4], strict=True):
        np.testing.assert_array_equal(left, right)
    assert files(tmp_path) == ["weights-4.index"]
    assert kept(tmp_path, "latest")[0] == 8
    state = read_selection(tmp_path)
    assert (state["start"]["step"], state["kept"]["epoch"], state["measured_step"]) == (0, 2, 8)
    assert (state["landmarks"], state["photographs"], state["labels"]) == (1, 3, [7, 7, 7])
    assert state["kept"]["average_precision"] == pytest.approx([0.6, 0.8, 0.7])
    assert state["gain"] == pytest.approx({"value": 0.2, "low": 0.2, "high": 0.2})
    assert "Training gained 20.0 points of mAP on 3 photographs of 1 landmarks" in run.selection.verdict()
    assert "the export is step 4, after epoch 2 of 4" in run.selection.verdict()


class Worse(Scripted):
    table = types.MappingProxyType({0: 0.5, 2: 0.5, 4: 0.2, 6: 0.0, 8: 0.1})


def test_training_that_does_not_help_leaves_the_start(tmp_path):
    run = Run(tmp_path, measured=Worse).fit()
    step, model = kept(tmp_path, "best")
    assert step == 0
    assert same_weights(model, network())
    assert not files(tmp_path)
    assert run.selection.verdict().startswith("Training did not help: mAP on 3 photographs")
    assert run.selection.verdict().endswith("the export is the start.")


def test_the_last_is_kept_where_that_is_asked_for(tmp_path):
    config = dataclasses.replace(CONFIG, keep="last")
    run = Run(tmp_path, config, Worse).fit()
    assert kept_checkpoint(tmp_path) == "latest"
    assert kept(tmp_path)[0] == 8
    assert not files(tmp_path)
    with pytest.raises(UserError, match=r"a best checkpoint in .*; received a run that keeps none. Take the latest"):
        kept(tmp_path, "best")
    assert "Training lost 40.0 points of mAP" in run.selection.verdict()


def between(start, end, factor):
    """Returns (1 - factor) start + factor end of two models, by numpy."""
    return [(1 - factor) * first + factor * last
            for first, last in zip(start.get_weights(), end.get_weights(), strict=True)]


class Middle(Scripted):
    """At the end of the run better half of the way from the start than as trained, or at the start."""

    factors = types.MappingProxyType({0.25: 0.6, 0.5: 0.9, 0.75: 0.8})

    def value(self):
        run = self.index
        state = read_selection(run.workdir)
        if state is None or state["measured_step"] < run.trainer.step:
            return super().value()
        start, which = network(), "best" if state["keep"] == "best" and state["kept"]["step"] else "latest"
        end = kept(run.workdir, which)[1]
        way = [model.get_weights()[0] - start.get_weights()[0] for model in (run.model, end)]
        factor = round(float(np.vdot(*way) / np.vdot(way[1], way[1])), 3)
        for left, right in zip(run.model.get_weights(), between(start, end, factor), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)
        return self.factors[factor]


class WorseButForTheMiddle(Middle):
    table = Worse.table


class WorseThanTrained(Middle):
    factors = types.MappingProxyType({0.25: 0.6, 0.5: 0.7, 0.75: 0.5})


class WorseAnywhere(WorseButForTheMiddle):
    factors = types.MappingProxyType({0.25: 0.5, 0.5: 0.4, 0.75: 0.5})


AUTO = dataclasses.replace(CONFIG, weight_interpolation="auto")


def assert_between(workdir, factor, end, which="kept"):
    """Asserts that the kept weights lie so far from the start to those of `end`."""
    step, model = kept(workdir, which)
    for left, right in zip(model.get_weights(), between(network(), end, factor), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)
    return step


@pytest.mark.parametrize("ema", [0.5, 0.0])
def test_half_of_the_way_from_the_start_is_chosen_where_it_is_better(tmp_path, ema):
    """The other end is the best epoch, not the last one, with its moving averages."""
    run = Run(tmp_path, dataclasses.replace(AUTO, ema_momentum=ema), Middle)
    remembered = {}
    choose = run.selection.choose

    def remember(entry):
        remembered[entry["step"]] = run.model.get_weights()
        choose(entry)
    run.selection.choose = remember
    run.fit()
    after = network()
    after.set_weights(remembered[4])
    assert assert_between(tmp_path, 0.5, after) == assert_between(tmp_path, 0.5, after, "best") == 4
    assert not same_weights(kept(tmp_path)[1], after)
    after.set_weights(remembered[8])
    step, latest = kept(tmp_path, "latest")
    assert step == 8
    assert same_weights(latest, after)
    assert same_weights(run.model, kept(tmp_path, "raw")[1]), "the run ends with its own weights"
    assert files(tmp_path) == ["weights-4.index"]
    assert retrieved(tmp_path) == pytest.approx(Middle.table), "the history is that of the epochs"
    state = read_selection(tmp_path)
    assert (state["kept"]["step"], state["kept"]["epoch"], state["kept"]["factor"]) == (4, 2, 0.5)
    assert (state["best_map"], state["start"]["factor"]) == (pytest.approx(0.7), 0)
    assert [(entry["factor"], entry["retrieval_map"]) for entry in state["interpolation"]["measured"]] == [
        (factor, pytest.approx(value)) for factor, value in Middle.factors.items()]
    assert state["interpolation"]["trained"]["retrieval_map"] == pytest.approx(0.7)
    assert state["gain"]["value"] == pytest.approx(0.4)
    assert run.selection.verdict().endswith(
        "the export is step 4, after epoch 2 of 4, weights 0.5 of the way from the start.")


def test_weights_stay_as_trained_where_nothing_in_between_is_better(tmp_path, caplog):
    """An equal figure changes nothing; the figures of each factor are kept and logged."""
    caplog.set_level("INFO", logger="absl")
    run = Run(tmp_path, AUTO, WorseThanTrained).fit()
    plain = Run(tmp_path / "plain").fit()
    assert kept(tmp_path)[0] == 4
    assert same_weights(kept(tmp_path)[1], kept(tmp_path / "plain")[1])
    assert run.selection.verdict() == plain.selection.verdict()
    assert [entry["factor"] for entry in read_selection(tmp_path)["interpolation"]["measured"]] == [0.25, 0.5, 0.75]
    assert "mAP of step 4 as trained, 0.25 of the way from the start 60.0 %, 0.5 of the way" in caplog.text


def test_where_no_epoch_is_better_than_the_start_the_last_one_is_the_other_end(tmp_path):
    run = Run(tmp_path, AUTO, WorseButForTheMiddle).fit()
    assert assert_between(tmp_path, 0.5, kept(tmp_path, "latest")[1]) == 8
    assert files(tmp_path) == ["weights-8.index"]
    assert "Training gained 40.0 points" in run.selection.verdict()
    run = Run(tmp_path / "anywhere", AUTO, WorseAnywhere).fit()
    assert kept(tmp_path / "anywhere")[0] == 0
    assert not files(tmp_path / "anywhere")
    assert "not above that after any epoch, nor in between; the export is the start." in run.selection.verdict()


def test_the_last_is_interpolated_where_the_last_is_kept(tmp_path):
    """Better than the last is enough; the latest as trained can be had still."""
    run = Run(tmp_path, dataclasses.replace(AUTO, keep="last"), WorseAnywhere).fit()
    latest = kept(tmp_path, "latest")[1]
    assert assert_between(tmp_path, 0.25, latest) == 8
    assert not files(tmp_path)
    assert run.selection.verdict().endswith("step 8, after epoch 4 of 4, weights 0.25 of the way from the start.")


@pytest.mark.parametrize(("keep", "step"), [("best", 4), ("last", 8)])
def test_a_given_factor_is_what_every_epoch_is_measured_with(tmp_path, keep, step):
    """What is kept as best, and patience with it, is chosen among interpolated weights."""
    run = Run(tmp_path, dataclasses.replace(CONFIG, weight_interpolation="0.25", keep=keep))
    measured, chosen, remembered = run.selection._unseen.value, run.selection.choose, {}

    def remember_measured():
        remembered[run.trainer.step] = run.model.get_weights()
        return measured()

    def remember_chosen(entry):
        end = network()
        end.set_weights(run.model.get_weights())
        expected = between(network(), end, 0.25 if entry["step"] else 1)
        for left, right in zip(remembered[entry["step"]], expected, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)
        assert entry["factor"] == (0.25 if entry["step"] else 0)
        chosen(entry)
    object.__setattr__(run.selection._unseen, "value", remember_measured)
    run.selection.choose = remember_chosen
    run.fit()
    assert sorted(remembered) == [0, 2, 4, 6, 8]
    assert kept(tmp_path)[0] == step
    for left, right in zip(kept(tmp_path)[1].get_weights(), remembered[step], strict=True):
        np.testing.assert_array_equal(left, right)
    assert "interpolation" not in read_selection(tmp_path)
    assert "weights 0.25 of the way from the start." in run.selection.verdict()


def test_auto_without_landmarks_is_no_interpolation(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    run = Run(tmp_path, AUTO, facts={"photographs": 8})
    assert ModelSelection.begin(None, AUTO, run.trainer.checkpoints, run.model, tmp_path, 0) is None
    assert "No landmarks choose a factor for --weight_interpolation=auto: the weights stay as trained." in caplog.text
    run.fit()
    assert same_weights(kept(tmp_path)[1], kept(tmp_path, "latest")[1])


@pytest.mark.parametrize(("measured", "patience", "last"), [
    (Middle, 1, 2), pytest.param(WorseButForTheMiddle, 2, 4, marks=pytest.mark.slow)])
def test_more_patience_goes_on_from_the_weights_as_trained(tmp_path, measured, patience, last):
    """The run that ended early kept interpolated weights; at its new end it keeps what a run without patience keeps."""
    config = dataclasses.replace(AUTO, patience=patience)
    Run(tmp_path, config, measured).fit()
    assert (read_selection(tmp_path)["kept"]["step"], read_selection(tmp_path)["kept"]["factor"]) == (last, 0.5)
    Run(tmp_path, AUTO, measured).fit()
    Run(tmp_path / "whole", AUTO, measured).fit()
    assert read_selection(tmp_path) == read_selection(tmp_path / "whole")
    assert files(tmp_path) == files(tmp_path / "whole")
    assert same_weights(kept(tmp_path)[1], kept(tmp_path / "whole")[1])


def test_latest_weights_after_an_interpolated_end_are_not_interpolated(tmp_path):
    """A run that keeps its last checkpoint, given more patience and killed before it is measured again."""
    config = dataclasses.replace(AUTO, keep="last", patience=1)
    Run(tmp_path, config, WorseButForTheMiddle).fit()
    assert assert_between(tmp_path, 0.5, kept(tmp_path, "latest")[1]) == 2
    run = Run(tmp_path, dataclasses.replace(config, patience=0), WorseButForTheMiddle)
    with pytest.raises(PreemptedError, match="Saved at step 3"):
        run.fit(lambda: True)
    assert kept(tmp_path)[0] == 3
    assert same_weights(kept(tmp_path)[1], kept(tmp_path, "latest")[1])


@pytest.mark.parametrize(("patience", "measured", "last"), [
    (1, Scripted, 2), pytest.param(2, Scripted, 8, marks=pytest.mark.slow),
    pytest.param(2, Worse, 4, marks=pytest.mark.slow), pytest.param(5, Worse, 8, marks=pytest.mark.slow)])
def test_patience(tmp_path, patience, measured, last, caplog):
    """The run ends as a finished one and stays so; with more patience it goes on with the same rates."""
    caplog.set_level("INFO", logger="absl")
    config = dataclasses.replace(CONFIG, patience=patience)
    Run(tmp_path, config, measured).fit()
    assert max(retrieved(tmp_path)) == last
    assert (f"No better mAP in {patience} epochs: training ends at step {last} of 8" in caplog.text) == (last < 8)
    before = (tmp_path / "history.jsonl").read_text()
    Run(tmp_path, config, measured).fit()
    assert (tmp_path / "history.jsonl").read_text() == before
    Run(tmp_path, dataclasses.replace(config, patience=0), measured).fit()
    whole = tmp_path / "whole"
    Run(whole, dataclasses.replace(config, patience=0), measured).fit()
    rates = [[line["learning_rate"] for line in read_history(folder / "history.jsonl") if "loss" in line]
             for folder in (tmp_path, whole)]
    assert rates[0] == rates[1]
    assert len(rates[0]) == 8
    assert read_selection(tmp_path) == read_selection(whole)


def test_of_short_epochs_every_third_and_the_last_are_measured(tmp_path, caplog):
    """Patience counts epochs, not measurements; a run that goes on measures no other epochs."""
    caplog.set_level("INFO", logger="absl")
    config = dataclasses.replace(CONFIG, epochs=11, patience=6)
    run = Run(tmp_path / "whole", dataclasses.replace(config, patience=0), Short).fit()
    assert list(retrieved(run.workdir)) == [0, 6, 12, 18, 22]
    Run(tmp_path / "patient", config, Short).fit()
    assert "No better mAP in 6 epochs: training ends at step 18 of 22" in caplog.text
    stopped = Run(tmp_path / "stopped", dataclasses.replace(config, patience=0), Short)
    with pytest.raises(PreemptedError, match="step 7"):
        stopped.fit(lambda: stopped.trainer.step >= 7)
    Run(tmp_path / "stopped", dataclasses.replace(config, patience=0), Short).fit()
    assert read_selection(tmp_path / "stopped") == read_selection(run.workdir)


class Short(Scripted):
    table = types.MappingProxyType({0: 0.5, 6: 0.6, 12: 0.4, 18: 0.5, 22: 0.55})


class Measured(Scripted):
    """Eight images of four landmarks, measured by the model itself: worse, better, worse, the best."""

    labels = np.array([0, 1, 2, 3] * 2)

    def measure(self, embed, dimension):
        images = np.random.default_rng(4).normal(size=(8, self.image_size, self.image_size, 3)).astype(np.float32)
        return retrieval_figures(np.asarray(embed(tf.constant(images))), self.labels)


def kill(monkeypatch, place, name, number):
    """Makes the n-th call of a method a kill, before or, with a negative number, right after what it does."""
    original, calls = getattr(place, name), []

    def killed(self, *arguments):
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        result = original(self, *arguments)
        if len(calls) == -number:
            raise KeyboardInterrupt
        return result
    monkeypatch.setattr(place, name, killed)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folders of runs from start to end, by how they are measured."""
    tf.config.run_functions_eagerly(True)
    found = {measured: tmp_path_factory.mktemp("whole") for measured in (Scripted, Measured, Middle, WorseButForTheMiddle)}
    for measured, folder in found.items():
        Run(folder, killed_config(measured), measured).fit()
    return found


def killed_config(measured):
    return dataclasses.replace(AUTO if issubclass(measured, Middle) else CONFIG, patience=3)


FAST = [(TrainStep, "__call__", 4, Measured), (Checkpoints, "save_best", -1, Measured),
        (ModelSelection, "choose", -3, Scripted), (ModelSelection, "measure", 7, Middle)]
SLOW = [(TrainStep, "__call__", 1, Scripted), (TrainStep, "__call__", 6, Measured), (Checkpoints, "save_best", 1, Measured),
        (Checkpoints, "save_best", -2, Measured), (Checkpoints, "drop_former_best", 3, Measured),
        (Checkpoints, "save", -2, Measured), (ModelSelection, "measure", 1, Measured),
        (ModelSelection, "choose", 1, Measured), (ModelSelection, "choose", 3, Measured),
        (ModelSelection, "choose", -5, Measured), (ModelSelection, "measure", -6, Middle),
        (ModelSelection, "interpolate", 1, Middle), (ModelSelection, "interpolate", -1, Middle),
        (Checkpoints, "drop_former_best", 6, Middle), (ModelSelection, "measure", 6, WorseButForTheMiddle),
        (Checkpoints, "save_best", 1, WorseButForTheMiddle), (Checkpoints, "save_best", -1, WorseButForTheMiddle),
        (Checkpoints, "drop_former_best", -5, WorseButForTheMiddle)]


@pytest.mark.parametrize(("place", "name", "number", "measured"), [
    *FAST, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)])
def test_killed_anywhere_it_chooses_what_an_uninterrupted_run_chooses(whole, tmp_path, monkeypatch, place, name, number,
                                                                      measured):
    """In the middle of an epoch, in a measurement, between the best weights and their figures: the same to the bit."""
    config = killed_config(measured)
    with monkeypatch.context() as patched:
        kill(patched, place, name, number)
        with pytest.raises(KeyboardInterrupt):
            Run(tmp_path, config, measured).fit()
    if read_selection(tmp_path):
        kept(tmp_path, "best")  # at any moment a choice and its weights
    Run(tmp_path, config, measured).fit()
    assert read_selection(tmp_path) == read_selection(whole[measured])
    assert files(tmp_path) == files(whole[measured])
    lines = [[{key: value for key, value in line.items() if key != "images_per_second"}
              for line in read_history(folder / "history.jsonl")] for folder in (tmp_path, whole[measured])]
    assert lines[0] == lines[1]
    for which in ("best", "latest"):
        (step, model), (expected, other) = (kept(folder, which) for folder in (tmp_path, whole[measured]))
        assert step == expected
        assert same_weights(model, other)


def test_told_to_end_at_the_end_of_an_epoch_it_has_measured(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(PreemptedError, match="Saved at step 2"):
        run.fit(lambda: run.trainer.step >= 2)
    assert sorted(retrieved(tmp_path)) == [0, 2]
    Run(tmp_path).fit()
    assert retrieved(tmp_path) == pytest.approx(Scripted.table)


@pytest.fixture
def copied(whole, tmp_path):
    """A copy of the scripted run."""
    return shutil.copytree(whole[Scripted], tmp_path / "copied")


def test_a_damaged_newest_checkpoint_leaves_the_choice(copied):
    """The run goes on from the one before; what was the best stays so, unless something is better."""
    (copied / "checkpoints" / "ckpt-8.index").write_bytes(b"")
    assert newest_checkpoint(copied / "checkpoints").endswith("ckpt-7")
    Run(copied).fit()
    assert read_selection(copied)["kept"]["step"] == 4
    assert kept(copied)[0] == 4


def test_a_run_that_began_without_goes_on_without(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    run = Run(tmp_path, facts={"photographs": 8})
    assert run.selection is None
    assert "began without measuring unseen landmarks" in caplog.text
    run.fit()
    assert read_selection(tmp_path) is None
    assert kept(tmp_path)[0] == 8
    with pytest.raises(UserError, match="a best checkpoint in"):
        kept(tmp_path, "best")


def test_a_recipe_of_an_earlier_release_goes_on(tmp_path):
    Run(tmp_path, facts={"photographs": 8})
    recipe = read_json(tmp_path / "recipe.json")
    assert recipe.pop("keep") == "best"
    assert "patience" not in recipe
    write_json(tmp_path / "recipe.json", recipe)
    Run(tmp_path, facts={"photographs": 8})
    Run(tmp_path, dataclasses.replace(CONFIG, keep="last"), facts={"photographs": 8})


def test_what_is_kept_belongs_to_the_run(tmp_path):
    Run(tmp_path)
    with pytest.raises(UserError, match="--keep=best; received --keep=last"):
        Run(tmp_path, dataclasses.replace(CONFIG, keep="last"))


@pytest.mark.parametrize("sha256", ["b" * 64, None])
def test_other_landmarks_than_the_run_was_measured_on(tmp_path, sha256):
    run = Run(tmp_path)
    unseen = sha256 and Scripted(type("Manifest", (), {"fingerprint": sha256})(), None, np.arange(3), 6, 8)
    with pytest.raises(UserError, match=r"the landmarks that .* is measured on; received records with others, or with none"):
        ModelSelection.begin(unseen, CONFIG, run.trainer.checkpoints, run.model, tmp_path, 0)


def test_figures_that_were_removed_are_not_begun_anew(copied):
    shutil.rmtree(copied / "best")
    assert Run(copied).selection is None


@pytest.mark.parametrize("damage", [lambda state: state.pop("kept"), lambda state: state.update(best_map="high")])
def test_a_broken_choice_is_named(copied, damage):
    path = copied / "best" / "selection.json"
    state = json.loads(path.read_text())
    damage(state)
    path.write_text(json.dumps(state))
    with pytest.raises(UserError, match=r"in .*selection\.json"):
        kept(copied)


def test_weights_of_the_best_that_are_lost_or_damaged(copied):
    data = copied / "best" / "weights-4.data-00000-of-00001"
    data.write_bytes(bytes([byte ^ 1 for byte in data.read_bytes()]))
    with pytest.raises(UserError, match=r"received damaged ones .* or take the latest ones"):
        kept(copied)
    (copied / "best" / "weights-4.index").unlink()
    with pytest.raises(UserError, match=r"a best checkpoint in .*; received none"):
        kept(copied)
