import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.augmentation import AUGMENTATIONS
from landmark_zoo.data.examples import parse_example
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.epoch_data import EpochData, TeacherEmbeddings, validation_batches
from landmark_zoo.training.sampling import SamplingConfig
from tests.tiny_saved_model import write_tiny_saved_model

CONFIG = TrainingConfig(epochs=2, batch_size=8, image_size=32)
PLAIN = AUGMENTATIONS["none"]
SAMPLINGS = [SamplingConfig(), SamplingConfig("balanced"), SamplingConfig("classes_by_images"),
             SamplingConfig("aspect_groups", augmentation="glam"),
             SamplingConfig("mined_tuples", query_size=12, pool_size=30, negatives=2)]


@pytest.fixture(scope="module")
def model():
    """The mean colour, as an embedding."""
    images = tf.keras.Input([None, None, 3])
    return tf.keras.Model(images, {"embedding": L2Normalize()(tf.keras.layers.GlobalAveragePooling2D()(images))})


@pytest.fixture
def epochs(records, model, tmp_path):
    manifest = read_manifest(records / "train")
    return lambda sampling, config=CONFIG: EpochData(manifest, config, sampling, model, tmp_path)


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=lambda sampling: sampling.sampler)
def test_a_resumed_epoch_is_the_rest_of_a_whole_one(epochs, sampling):
    whole = epochs(sampling)
    batches = list(whole(1, 0))
    assert len(batches) == whole.steps_per_epoch
    assert {tuple(labels.shape) for _, labels in batches} == {(8,)}
    for (images, labels), (same_images, same_labels) in zip(batches[2:], epochs(sampling)(1, 2), strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)
    assert not np.array_equal(batches[0][0], next(iter(whole(0, 0)))[0])


def test_landmarks_by_images(epochs):
    for _, labels in epochs(SamplingConfig("classes_by_images"))(0, 0):
        assert sorted(np.unique(labels, return_counts=True)[1]) == [4, 4]


def test_tuples(epochs):
    for _, labels in epochs(SAMPLINGS[-1])(0, 0):
        for query, positive, *negatives in labels.numpy().reshape(2, 4):
            assert query == positive
            assert len({query, *negatives}) == 3


def test_aspect_groups_have_their_shape(epochs):
    """The photographs are 48 x 40: height / width .83, the square group; 64 px stand for its 448."""
    config = TrainingConfig(batch_size=8, image_size=64)
    assert {images.shape for images, _ in epochs(SamplingConfig("aspect_groups"), config)(0, 0)} == {(8, 64, 64, 3)}


@pytest.mark.parametrize("sampling", SAMPLINGS[:3], ids=lambda sampling: sampling.sampler)
def test_no_more_steps_than_said(epochs, sampling):
    short = epochs(SamplingConfig(**{**vars(sampling), "steps_per_epoch": 2}))
    assert short.steps_per_epoch == len(list(short(0, 0))) == 2
    assert len(list(short(0, 1))) == 1
    assert epochs(SamplingConfig(**{**vars(sampling), "steps_per_epoch": 100})).steps_per_epoch == epochs(
        sampling).steps_per_epoch


@pytest.mark.parametrize("sampling", SAMPLINGS[:2], ids=lambda sampling: sampling.sampler)
def test_images_grow(epochs, sampling):
    growing = epochs(sampling, TrainingConfig(epochs=2, batch_size=8, image_sizes="32,64"))
    assert [next(iter(growing(epoch, 0)))[0].shape[1] for epoch in (0, 1)] == [32, 64]


def test_fewer_tuples_than_a_batch(epochs):
    with pytest.raises(UserError, match="at least 2 tuples, one batch; received 1"):
        epochs(SamplingConfig("mined_tuples", query_size=1, negatives=2))


@pytest.mark.parametrize("sampling", SAMPLINGS[:4], ids=lambda sampling: sampling.sampler)
def test_workers_and_devices_together_have_the_batches_of_one(epochs, sampling, monkeypatch):
    whole, parts = list(epochs(sampling)(1, 1)), []
    for worker in range(2):
        monkeypatch.setattr(WorkerInfo, "current", lambda worker=worker: WorkerInfo(2, worker, 4))
        parts.append(list(epochs(sampling)(1, 1)))
    for step, (images, labels) in enumerate(whole):
        mine = [part[2 * step + device] for part in parts for device in range(2)]
        np.testing.assert_array_equal(np.concatenate([portion[0] for portion in mine]), images)
        np.testing.assert_array_equal(np.concatenate([portion[1] for portion in mine]), labels)


def test_the_chief_mines_for_all(epochs, monkeypatch):
    chief = list(epochs(SAMPLINGS[-1])(0, 0))
    monkeypatch.setattr("landmark_zoo.training.epoch_data.all_reduce_sum", lambda *_: None)
    monkeypatch.setattr(WorkerInfo, "current", lambda: WorkerInfo(2, 1, 2))
    other = epochs(SAMPLINGS[-1])
    other._embed = None
    for (images, labels), (whole_images, whole_labels) in zip(other(0, 0), chief, strict=True):
        np.testing.assert_array_equal(images, whole_images[4:])
        np.testing.assert_array_equal(labels, whole_labels[4:])


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory):
    return write_tiny_saved_model(tmp_path_factory.mktemp("export") / "tiny" / "1").parent


@pytest.fixture(scope="module")
def by_hand(records, teacher_folder):
    """What the teacher makes of each record, read one by one, float32 [48, 12]."""
    loaded = tf.saved_model.load(str(teacher_folder / "1"))
    stored = [parse_example(record).encoded for record in tf.data.TFRecordDataset(read_manifest(records / "train").files)]
    return np.concatenate([loaded.signatures["serving_default"](image_bytes=encoded[None])["embedding"].numpy()
                           for encoded in stored])


@pytest.fixture
def teacher(records, teacher_folder, tmp_path):
    """Makes the embeddings of a teacher in `tmp_path`, not prepared."""
    manifest = read_manifest(records / "train")
    return lambda dimension=12, model=teacher_folder, manifest=manifest: TeacherEmbeddings(
        model, manifest, dimension, tmp_path)


@pytest.fixture
def small_parts(monkeypatch):
    """Four images per call of the teacher, eight per file."""
    monkeypatch.setattr("landmark_zoo.training.epoch_data._TEACHER_BATCH", 4)
    monkeypatch.setattr("landmark_zoo.training.epoch_data._PART", 8)


def test_a_teacher_embeds_every_record_in_order(teacher, by_hand, tmp_path, teacher_folder):
    made = teacher()
    made.prepare()
    assert sorted(path.name for path in (tmp_path / "teacher").iterdir()) == ["embeddings.npy", "teacher.json"]
    np.testing.assert_allclose(made.rows(np.arange(48)), by_hand, atol=1e-3)
    np.testing.assert_allclose(made.rows(np.array([5, 0, 5])), by_hand[[5, 0, 5]], atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(made.rows(np.arange(48)), axis=1), 1, rtol=1e-6)
    assert made.first_rows(7).shape == (7, 12)
    facts = read_json(tmp_path / "teacher" / "teacher.json")
    assert (facts["name"], facts["dimension"], len(facts["fingerprint"])) == ("tiny", 12, 64)
    assert made.facts == teacher().facts == {name: facts[name] for name in ("name", "fingerprint", "dimension")}


def test_a_student_of_fewer_or_more_dimensions(teacher, by_hand, tmp_path):
    """Dot products stay as they were, up to what the leading directions do not hold."""
    wide = teacher(15)
    wide.prepare()
    np.testing.assert_allclose(wide.rows(np.arange(48)) @ wide.rows(np.arange(48)).T, by_hand @ by_hand.T, atol=2e-3)
    shutil.rmtree(tmp_path / "teacher")
    narrow = teacher(4)
    narrow.prepare()
    _, directions = np.linalg.eigh(by_hand.T @ by_hand)
    projected = by_hand @ directions[:, ::-1][:, :4]
    projected /= np.linalg.norm(projected, axis=1, keepdims=True)
    found = narrow.rows(np.arange(48))
    assert found.shape == (48, 4)
    np.testing.assert_allclose(found @ found.T, projected @ projected.T, atol=2e-3)


def test_an_interrupted_teacher_goes_on_where_it_was(teacher, by_hand, small_parts, monkeypatch, tmp_path):
    calls, embed = [], TeacherEmbeddings._embed

    def interrupted(self, batch):
        calls.append(len(batch[0]))
        if len(calls) == 6:
            raise KeyboardInterrupt
        return embed(self, batch)
    monkeypatch.setattr(TeacherEmbeddings, "_embed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        teacher().prepare()
    parts = sorted(path.name for path in (tmp_path / "teacher").glob("part*"))
    assert parts == ["part_000000000.npy", "part_000000008.npy"]
    again = teacher()
    calls[:] = [0] * 6
    again.prepare()
    assert sum(calls) == 48 - 16
    np.testing.assert_allclose(again.rows(np.arange(48)), by_hand, atol=1e-3)
    assert not list((tmp_path / "teacher").glob("part*"))


def test_a_finished_teacher_is_not_needed_any_more(teacher, by_hand, monkeypatch):
    teacher().prepare()
    monkeypatch.setattr("landmark_zoo.training.epoch_data.SavedModel", None)
    for model in (None, "gone/for/ever"):
        later = teacher(model=model)
        later.prepare()
        np.testing.assert_allclose(later.rows(np.arange(48)), by_hand, atol=1e-3)
        assert later.facts["name"] == "tiny"


def test_the_chief_alone_embeds(teacher, monkeypatch, tmp_path):
    monkeypatch.setattr("landmark_zoo.training.epoch_data.all_reduce_sum", lambda *_: None)
    monkeypatch.setattr(WorkerInfo, "current", lambda: WorkerInfo(2, 1, 2))
    teacher().prepare()
    assert not (tmp_path / "teacher").exists()


def test_another_teacher_or_other_records(teacher, records, tmp_path):
    teacher().prepare()
    other = write_tiny_saved_model(tmp_path / "other" / "1", scale=2.0)
    with pytest.raises(UserError, match=r"the teacher of the run in .*, tiny \(\w{12}\); received .*other/1 \(\w{12}\)\."):
        teacher(model=other)
    manifest = read_manifest(records / "train")
    swapped = dataclasses.replace(manifest, shards=manifest.shards[::-1])
    with pytest.raises(UserError, match=r"the records whose images the teacher of .* has seen; received others"):
        teacher(manifest=swapped)
    wider = teacher(16)
    with pytest.raises(UserError, match=r"embeddings \[48, 16\] in .*; received \[48, 12\]"):
        wider.rows(np.arange(3))


def test_no_teacher(teacher, tmp_path):
    with pytest.raises(UserError, match="--teacher, an exported model from which --distillation learns; received none"):
        teacher(model=None)
    with pytest.raises(UserError, match=r"a SavedModel at .*nowhere"):
        teacher(model=tmp_path / "nowhere")


def test_a_teacher_that_refuses_an_image_or_gives_nonsense(teacher, monkeypatch):
    teacher_of_nan = teacher()
    monkeypatch.setattr(type(teacher_of_nan._model), "embed_bytes",
                        lambda _, encoded: np.full([len(encoded), 12], np.nan, np.float32))
    with pytest.raises(UserError, match="finite embeddings of the teacher tiny; received NaN or infinity"):
        teacher_of_nan.prepare()
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"images in .*train that the teacher tiny takes; received .*\(among x to y\)"):
        teacher()._embed((np.array([b"x", b"y"]), np.array([b"no image", b"no image"], object)))


@pytest.mark.parametrize("sampling", SAMPLINGS[:4], ids=lambda sampling: sampling.sampler)
def test_batches_carry_the_teachers_embeddings(epochs, teacher, records, model, tmp_path, sampling, monkeypatch):
    """Images and labels are those without a teacher; each row's target is that of its record, after a resume and on each
    device of each worker too. Plain views show which record it is: all photographs differ."""
    made, manifest = teacher(), read_manifest(records / "train")
    made.prepare()
    plain = {image.numpy().tobytes(): made.rows(np.array([number]))[0] for number, image in enumerate(
        image for images, _ in evaluation_dataset(manifest, image_size=32, batch_size=8) for image in images)}
    assert len(plain) == 48
    distilled = EpochData(manifest, CONFIG, sampling, model, tmp_path, made)
    whole = list(distilled(1, 0))
    for (images, labels), (same_images, same_labels, targets) in zip(epochs(sampling)(1, 0), whole, strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)
        assert targets.shape == (8, 12)
    for batch, resumed in zip(whole[2:], distilled(1, 2), strict=True):
        for left, right in zip(batch, resumed, strict=True):
            np.testing.assert_array_equal(left, right)
    monkeypatch.setattr("landmark_zoo.training.epoch_data.AUGMENTATIONS", {sampling.augmentation: PLAIN})
    unmoved = list(EpochData(manifest, CONFIG, sampling, model, tmp_path, made)(1, 0))
    if sampling.sampler != "aspect_groups":  # whose sizes are others
        for images, _, targets in unmoved:
            for image, target in zip(images, targets, strict=True):
                nearest = min(plain, key=lambda view: np.abs(np.frombuffer(view, np.float32).reshape(32, 32, 3)
                                                             - image).mean())
                np.testing.assert_array_equal(plain[nearest], target)
    parts = []
    for worker in range(2):
        monkeypatch.setattr(WorkerInfo, "current", lambda worker=worker: WorkerInfo(2, worker, 4))
        parts.append(list(EpochData(manifest, CONFIG, sampling, model, tmp_path, made)(1, 1)))
    for step, (*_, targets) in enumerate(whole[1:]):
        np.testing.assert_array_equal(targets, np.concatenate([part[2 * step + device][2] for part in parts
                                                               for device in range(2)]))


SHORT = TrainingConfig(epochs=2, batch_size=8, image_sizes="32,64")


def test_all_images_at_the_last_size(records):
    batches = list(validation_batches(records, SHORT, SamplingConfig(), "classification"))
    expected = evaluation_dataset(read_manifest(records / "validation"), image_size=64, batch_size=8)
    for (images, labels), (same_images, same_labels) in zip(batches, expected, strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)


def test_the_view_follows_the_augmentation(records):
    datasets = [validation_batches(records, SHORT, SamplingConfig(augmentation=name), "classification")
                for name in ("default", "recognition")]
    stretched, cropped = (next(iter(dataset)) for dataset in datasets)
    np.testing.assert_array_equal(stretched[1], cropped[1])
    assert not np.array_equal(stretched[0], cropped[0])


def test_pairs_are_the_same_each_time(records):
    dataset = validation_batches(records, SHORT, SamplingConfig("classes_by_images"), "contrastive")
    for (images, labels), (same_images, _) in zip(dataset, dataset, strict=True):
        assert sorted(np.unique(labels, return_counts=True)[1]) == [4, 4]
        np.testing.assert_array_equal(images, same_images)


def test_nothing_to_measure(records, tmp_path):
    assert validation_batches(tmp_path, SHORT, SamplingConfig(), "classification") is None
    assert validation_batches(records, SHORT, SamplingConfig("mined_tuples"), "tuple_triplet") is None


def test_no_longer_than_an_epoch(records):
    assert len(list(validation_batches(records, SHORT, SamplingConfig(steps_per_epoch=2), "classification"))) == 2


@pytest.mark.parametrize(("sampling", "objective"), [
    (SamplingConfig(), "classification"), (SamplingConfig("classes_by_images", images_per_class=2), "contrastive")])
@pytest.mark.parametrize("most", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_several_workers_divide_the_batches(records, monkeypatch, sampling, objective, most):
    sampling = SamplingConfig(**{**vars(sampling), "steps_per_epoch": most})
    config = TrainingConfig(epochs=1, batch_size=4, image_size=32)
    whole = list(validation_batches(records, config, sampling, objective))
    for worker in range(2):
        monkeypatch.setattr(WorkerInfo, "current", lambda worker=worker: WorkerInfo(2, worker, 2))
        part = list(validation_batches(records, config, sampling, objective))
        assert len(part) == len(whole[worker::2])
        for (images, labels), (same_images, same_labels) in zip(part, whole[worker::2], strict=True):
            np.testing.assert_array_equal(images, same_images)
            np.testing.assert_array_equal(labels, same_labels)
