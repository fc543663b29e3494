import contextlib
import csv
import errno
import io
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory
from landmark_zoo.data.datasets.image_refs import ImageRef, images_checksum, model_input
from landmark_zoo.data.datasets.images import FORMATS, InvalidImageError
from landmark_zoo.data.image_ops import decode_image, resize_long_side
from landmark_zoo.retrieval.embed import EmbedConfig, bucket_by_shape, embed, embed_image, embed_shards, preparation
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.embedding_shards import EmbeddingShards, NoUsableImageError, merge_shards
from landmark_zoo.saved_model import SavedModel

SIZES = [(64, 48), (48, 64), (64, 40)]


@pytest.fixture
def images(paint):
    return [ImageRef(f"p{number}", paint(f"p{number}.jpg", number, SIZES[number % 3])) for number in range(11)]


@pytest.fixture(scope="module")
def other_model(write_model, tmp_path_factory):
    return SavedModel(write_model(tmp_path_factory.mktemp("models") / "other", scale=1.0005))


class Counting:
    """The tiny model as an engine that counts, and stops as a user's Ctrl-C would."""

    name = "tensorflow"

    def __init__(self, model: SavedModel, stop_after: int = 10**9):
        self._model, self.stop_after, self.seen = model, stop_after, 0

    def embed_images(self, images):
        if self.seen >= self.stop_after:
            raise KeyboardInterrupt
        self.seen += len(images)
        return self._model.embed_images(images)


def embedded(model, images, output, engine=None, read=None, **settings):
    return embed(model, images, output, EmbedConfig(**settings), engine=engine, read=read)


def skipped(folder):
    with open(folder / "skipped.csv", encoding="utf-8", newline="") as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


def test_the_same_as_serving_default_in_the_same_order(tiny_model, images, tmp_path):
    found = embedded(tiny_model, images, tmp_path / "out", batch_size=3, shard_size=4)
    assert found.ids == [image.id for image in images]
    expected = tiny_model.embed_bytes([image.path.read_bytes() for image in images])
    np.testing.assert_allclose(found.vectors, expected, atol=1e-6)
    np.testing.assert_array_equal(EmbeddingSet.load(tmp_path / "out").vectors, found.vectors)
    assert found.model_fingerprint == tiny_model.fingerprint
    assert found.provenance["model"]["name"] == "tiny"
    assert (found.provenance["photographs"], found.provenance["skipped"], found.provenance["cropped"]) == (11, 0, 0)
    assert not (tmp_path / "out/shards").exists()


def test_float16_takes_half_the_room_and_loads_as_float32(tiny_model, images, tmp_path):
    found = embedded(tiny_model, images, tmp_path / "out", dtype="float16")
    assert np.load(tmp_path / "out/embeddings.npy").dtype == np.float16
    np.testing.assert_allclose(found.vectors, embedded(tiny_model, images, tmp_path / "exact").vectors, atol=1e-3)


def test_bad_images_are_listed_and_left_out(tiny_model, images, tmp_path):
    images[1].path.write_bytes(b"")
    images[3].path.write_bytes(b"a text")
    images[4].path.write_bytes(images[4].path.read_bytes()[:300])
    Image.new("RGB", (64, 64)).save(images[5].path)
    images[6].path.unlink()
    found = embedded(tiny_model, images, tmp_path / "out", shard_size=4)
    assert found.provenance["skipped"] == 5
    assert found.ids == [f"p{number}" for number in (0, 2, 7, 8, 9, 10)]
    reasons = skipped(tmp_path / "out")
    assert set(reasons) == {"p1", "p3", "p4", "p5", "p6"}
    assert reasons["p1"] == "empty file"
    assert "not an image" in reasons["p3"]
    assert "length 0.0000" in reasons["p5"]
    assert "no such file" in reasons["p6"]
    with pytest.raises(UserError, match="no bad photograph; received 5"):
        embedded(tiny_model, images, tmp_path / "out", strict=True)
    with pytest.raises(UserError, match="a usable photograph for p1; received empty file"):
        embedded(tiny_model, images, tmp_path / "strict", strict=True)


def test_nothing_usable_is_an_error(images, write_model, tmp_path):
    long = SavedModel(write_model(tmp_path / "long", scale=1.5))
    with pytest.raises(NoUsableImageError, match=r"11 bad ones, first p0: an embedding of length 1\.5"):
        embedded(long, images, tmp_path / "out")
    with pytest.raises(UserError, match="photographs to embed; received none"):
        embedded(long, [], tmp_path / "none")


def test_an_interrupted_run_goes_on_after_the_last_shard(tiny_model, images, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        embedded(tiny_model, images, tmp_path / "out", Counting(tiny_model, stop_after=5), batch_size=1, shard_size=4)
    again = Counting(tiny_model)
    resumed = embedded(tiny_model, images, tmp_path / "out", again, shard_size=4)
    assert again.seen == 7
    np.testing.assert_allclose(resumed.vectors, embedded(tiny_model, images, tmp_path / "whole").vectors, atol=1e-6)
    finished = Counting(tiny_model)
    embedded(tiny_model, images, tmp_path / "out", finished, shard_size=4)
    assert finished.seen == 0


def test_full_disk_keeps_what_is_finished(tiny_model, images, tmp_path, monkeypatch):
    def full(descriptor):
        if (tmp_path / "out/shards/00001.npy").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        embedded(tiny_model, images, tmp_path / "out", batch_size=2, shard_size=2)
    monkeypatch.undo()
    again = Counting(tiny_model)
    assert len(embedded(tiny_model, images, tmp_path / "out", again, batch_size=2, shard_size=2)) == 11
    assert again.seen == 7


def half_done_before(model, images, output):
    """Writes what a former release left behind when it was interrupted after two shards of four."""
    folder = output / "shards"
    folder.mkdir(parents=True)
    for number in (0, 1):
        part = images[4 * number:4 * number + 4]
        facts = {"photographs_sha256": images_checksum(part), "skipped": {}}
        (folder / f"{number:05d}.json").write_text(json.dumps(facts))
        np.save(folder / f"{number:05d}.npy", model.embed_bytes([image.path.read_bytes() for image in part]))
    facts = {"model_fingerprint": model.fingerprint, "apply_exif": True, "shard_size": 4, "photographs_sha256": "old"}
    (folder / "maker.json").write_text(json.dumps(facts))


def test_shards_of_a_former_release_are_gone_on_with_or_refused(tiny_model, other_model, images, tmp_path):
    half_done_before(tiny_model, images, tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "refused")
    again = Counting(tiny_model)
    found = embedded(tiny_model, images, tmp_path / "out", again, shard_size=4)
    assert again.seen == 3
    np.testing.assert_allclose(found.vectors, embedded(tiny_model, images, tmp_path / "whole").vectors, atol=1e-6)
    for settings, said in (({}, "another shard_size"), ({"shard_size": 4, "apply_exif": False}, "another apply_exif"),
                           ({"shard_size": 4, "dtype": "float16"}, "another dtype")):
        with pytest.raises(UserError, match=said):
            embedded(tiny_model, images, tmp_path / "refused", **settings)
    with pytest.raises(UserError, match="another model_fingerprint"):
        embedded(other_model, images, tmp_path / "refused", shard_size=4)


def test_a_finished_set_of_a_former_release_is_read(tiny_model, images, tmp_path):
    first = embedded(tiny_model, images, tmp_path / "out")
    facts = json.loads((tmp_path / "out/embeddings.json").read_text())
    for key in ("engine", "dtype", "list_sha256"):
        del facts["provenance"][key]
    del facts["sha256"]
    (tmp_path / "out/files.csv").unlink()
    (tmp_path / "out/embeddings.json").write_text(json.dumps(facts))
    again = Counting(tiny_model)
    np.testing.assert_array_equal(embedded(tiny_model, images, tmp_path / "out", again).vectors, first.vectors)
    assert again.seen == 0
    with pytest.raises(UserError, match="another dtype"):
        embedded(tiny_model, images, tmp_path / "out", dtype="float16")


def test_a_file_newer_than_a_set_of_a_former_release_is_embedded_again(tiny_model, images, paint, tmp_path):
    test_a_finished_set_of_a_former_release_is_read(tiny_model, images, tmp_path)
    change_in_place(images[2].path, paint("other.jpg", 77))
    again = Counting(tiny_model)
    found = embedded(tiny_model, images, tmp_path / "out", again)
    assert again.seen == 1
    assert_as_of_today(tiny_model, images, found)
    images[2].path.write_bytes(b"of another size, which such a set knows of all files at once")
    (tmp_path / "out/files.csv").unlink()
    facts = json.loads((tmp_path / "out/embeddings.json").read_text())
    del facts["provenance"]["list_sha256"]
    (tmp_path / "out/embeddings.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match="another list of images"):
        embedded(tiny_model, images, tmp_path / "out")


def change_in_place(path, other):
    """Gives a file the pixels of another, its own size, and a later time."""
    size, time = path.stat().st_size, path.stat().st_mtime_ns
    data = other.read_bytes()
    path.write_bytes(data + bytes(size - len(data)) if len(data) <= size else data)
    os.utime(path, ns=(time, time + 10**12))


def assert_as_of_today(model, images, found):
    expected = model.embed_bytes([image.path.read_bytes() for image in images if image.id in found.ids])
    np.testing.assert_allclose(found.vectors, expected, atol=1e-6)


@pytest.mark.parametrize("finished", [False, True])
def test_a_file_changed_in_place_is_embedded_again_and_no_other(tiny_model, images, paint, tmp_path, finished):
    with pytest.raises(KeyboardInterrupt) if not finished else contextlib.nullcontext():
        embedded(tiny_model, images, tmp_path / "out", Counting(tiny_model, 10**9 if finished else 8), batch_size=1,
                 shard_size=4)
    change_in_place(images[1].path, paint("other.jpg", 77))
    shutil.copy(images[5].path, tmp_path / "copy")  # as it was, with another time
    shutil.copy(tmp_path / "copy", images[5].path)
    again = Counting(tiny_model)
    found = embedded(tiny_model, images, tmp_path / "out", again, shard_size=4)
    assert again.seen == (1 if finished else 4)
    assert_as_of_today(tiny_model, images, found)
    assert found.ids == [image.id for image in images]
    assert not (tmp_path / "out/shards").exists()


def test_known_files_are_not_read(tiny_model, images, tmp_path, monkeypatch):
    images[3].path.write_bytes(b"a text")
    first = embedded(tiny_model, images, tmp_path / "out", shard_size=4)

    def refuse(path):
        raise AssertionError(f"{path} was read")
    monkeypatch.setattr("landmark_zoo.retrieval.file_states.read_bytes", refuse)
    again = embedded(tiny_model, images, tmp_path / "out", shard_size=4)
    np.testing.assert_array_equal(again.vectors, first.vectors)


@pytest.mark.parametrize("finished", [False, True])
def test_skipped_images_that_were_mended_are_embedded(tiny_model, images, tmp_path, finished):
    good = {number: images[number].path.read_bytes() for number in (0, 2, 5)}
    images[0].path.write_bytes(b"a text")
    images[2].path.unlink()
    images[5].path.unlink()
    images[5].path.mkdir()
    with pytest.raises(KeyboardInterrupt) if not finished else contextlib.nullcontext():
        embedded(tiny_model, images, tmp_path / "out", Counting(tiny_model, 10**9 if finished else 6), batch_size=1,
                 shard_size=4)
    images[5].path.rmdir()
    for number, data in good.items():
        images[number].path.write_bytes(data)
    again = Counting(tiny_model)
    found = embedded(tiny_model, images, tmp_path / "out", again, shard_size=4)
    assert again.seen == (3 if finished else 6)
    assert found.ids == [image.id for image in images]
    assert_as_of_today(tiny_model, images, found)
    assert skipped(tmp_path / "out") == {}


def test_an_image_that_became_bad_leaves_a_finished_set(tiny_model, images, tmp_path):
    embedded(tiny_model, images, tmp_path / "out", shard_size=4)
    images[9].path.write_bytes(b"a text")
    found = embedded(tiny_model, images, tmp_path / "out", shard_size=3)
    assert found.ids == [image.id for image in images if image.id != "p9"]
    assert_as_of_today(tiny_model, images, found)


def test_a_run_killed_while_it_embeds_changed_files_is_gone_on_with(tiny_model, images, paint, tmp_path):
    embedded(tiny_model, images, tmp_path / "out", shard_size=4)
    for number in (1, 6):
        change_in_place(images[number].path, paint("other.jpg", 70 + number))
    with pytest.raises(KeyboardInterrupt):
        embedded(tiny_model, images, tmp_path / "out", Counting(tiny_model, 1), shard_size=4)
    with pytest.raises(UserError, match=r"embeddings\.json"):
        EmbeddingSet.load(tmp_path / "out")
    again = Counting(tiny_model)
    assert_as_of_today(tiny_model, images, embedded(tiny_model, images, tmp_path / "out", again, shard_size=4))
    assert again.seen == 1


def test_shards_of_unlike_lists_are_refused(tiny_model, images, tmp_path):
    def part(shard, listed):
        return embed_shards(tiny_model, listed, tmp_path / "out", EmbedConfig(shard_size=2, num_shards=2, shard=shard))
    assert part(0, images) == 3
    renamed = sorted([*images[1:], images[0]._replace(id="renamed")])
    for others in (renamed, images[::-1], [images[0]._replace(box=(0, 0, 32, 32)), *images[1:]]):
        with pytest.raises(UserError, match="another list of images"):
            part(1, others)
    assert part(1, images) == 0
    merge_shards(tmp_path / "out")
    assert_as_of_today(tiny_model, images, EmbeddingSet.load(tmp_path / "out"))


@pytest.mark.parametrize("former", [False, True])
def test_a_shard_of_another_list_is_not_joined(tiny_model, images, tmp_path, former):
    output, config = tmp_path / "out", EmbedConfig(shard_size=4)
    assert embed_shards(tiny_model, images, output, config) == 0
    if former:
        facts = {"photographs_sha256": images_checksum(images[3:7]), "skipped": {}}
        (output / "shards/00001.json").write_text(json.dumps(facts))
    else:
        EmbeddingShards(output / "shards", images[1:], 4).save(1, np.eye(4, 12, dtype=np.float32), {})
    with pytest.raises(UserError, match="another list in shard"):
        merge_shards(output)
    again = Counting(tiny_model)
    assert_as_of_today(tiny_model, images, embedded(tiny_model, images, output, again, shard_size=4))
    assert again.seen == 4


def test_a_part_that_is_done_does_not_join_what_another_must_make_again(tiny_model, images, paint, tmp_path):
    def part(shard):
        return embed_shards(tiny_model, images, tmp_path / "out", EmbedConfig(shard_size=3, num_shards=2, shard=shard))
    embedded(tiny_model, images, tmp_path / "out", shard_size=3)
    change_in_place(images[4].path, paint("other.jpg", 77))  # in shard 1, of part 1
    assert part(0) == 1
    assert part(1) == 0
    merge_shards(tmp_path / "out")
    assert_as_of_today(tiny_model, images, EmbeddingSet.load(tmp_path / "out"))


def test_several_processes_share_the_work_and_the_last_joins(tiny_model, images, tmp_path):
    def part(shard):
        return embed_shards(tiny_model, iter(images), tmp_path / "out", EmbedConfig(shard_size=2, num_shards=3, shard=shard))
    assert part(2) == 4
    with pytest.raises(UserError, match=r"6 finished shards .* 4 missing, the first number 0"):
        merge_shards(tmp_path / "out")
    with pytest.raises(UserError, match=r"the shards of all 3 processes in .*; received 2 missing"):
        embedded(tiny_model, images, tmp_path / "out", shard_size=2, num_shards=3, shard=0)
    assert part(1) == 0
    facts = merge_shards(tmp_path / "out")
    parts, whole = EmbeddingSet.load(tmp_path / "out"), embedded(tiny_model, images, tmp_path / "whole")
    assert parts.ids == whole.ids
    np.testing.assert_allclose(parts.vectors, whole.vectors, atol=1e-6)
    assert merge_shards(tmp_path / "out") == facts


def test_work_of_another_model_or_other_images_is_refused(tiny_model, other_model, images, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        embedded(tiny_model, images, tmp_path / "out", Counting(tiny_model, stop_after=4), shard_size=2, batch_size=2)
    with pytest.raises(UserError, match="another model_fingerprint"):
        embedded(other_model, images, tmp_path / "out", shard_size=2)
    embedded(tiny_model, images, tmp_path / "out", shard_size=2)
    with pytest.raises(UserError, match="another model_fingerprint"):
        embedded(other_model, images, tmp_path / "out", shard_size=2)
    with pytest.raises(UserError, match="another list of images"):
        embedded(tiny_model, images[:3], tmp_path / "out")
    with pytest.raises(UserError, match="another apply_exif"):
        embedded(tiny_model, images, tmp_path / "out", apply_exif=False)


def test_boxes_cut_queries_and_wrong_ones_are_named(tiny_model, images, tmp_path):
    image = images[0]
    cut = embedded(tiny_model, [image._replace(box=(0, 0, 32, 48))], tmp_path / "cut")
    assert np.abs(cut.vectors - embedded(tiny_model, [image], tmp_path / "whole").vectors).max() > 0.01
    assert cut.provenance["cropped"] == 1
    with pytest.raises(UserError, match="for p3"):
        embedded(tiny_model, [*images[:3], images[3]._replace(box=(9, 0, 5, 5))], tmp_path / "out")
    with pytest.raises(UserError, match="p0 twice"):
        embedded(tiny_model, [image, image], tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.json*"))
    with pytest.raises(UserError, match="64 x 48 pixels of p0"):
        embedded(tiny_model, [image._replace(box=(0, 0, 65, 48))], tmp_path / "out")


def test_two_runs_in_one_folder(tiny_model, images, tmp_path):
    part = tmp_path / "out/shards/part-0-of-1"
    with lock_directory(part), pytest.raises(UserError, match="a run that is using it"):
        embedded(tiny_model, images, tmp_path / "out")


def test_images_that_are_no_files(tiny_model, images, tmp_path):
    files = {image.id: image.path.read_bytes() for image in images[:4]}
    files["p2"] = b"a text"
    elsewhere = [ImageRef(image_id, tmp_path / image_id) for image_id in [*files, "absent"]]

    def read(image):
        if image.id not in files:
            raise InvalidImageError("not in the record file")
        return files[image.id]

    found = embedded(tiny_model, elsewhere, tmp_path / "out", read=read)
    assert found.ids == ["p0", "p1", "p3"]
    assert skipped(tmp_path / "out") == {"p2": f"not an image ({', '.join(FORMATS)})",
                                         "absent": "not in the record file"}
    np.testing.assert_allclose(found.vectors, tiny_model.embed_bytes([files[name] for name in found.ids]), atol=1e-6)


def test_one_image_whole_and_cut(tiny_model, paint, tmp_path):
    path = paint("a.jpg", 1)
    whole = embed_image(tiny_model, ImageRef("a", path))
    assert whole.shape == (1, 12)
    np.testing.assert_allclose(whole, tiny_model.embed_bytes([path.read_bytes()]), atol=1e-6)
    assert np.abs(embed_image(tiny_model, ImageRef("a", path, (0, 0, 32, 48))) - whole).max() > 0.03
    with pytest.raises(UserError, match="no such file"):
        embed_image(tiny_model, ImageRef("a", tmp_path / "absent.jpg"))
    with pytest.raises(UserError, match="64 x 48 pixels"):
        embed_image(tiny_model, ImageRef("a", path, (0, 0, 640, 480)))


@pytest.mark.parametrize(("values", "said"), [
    ({"shard": 1}, "a shard from 0 to 0; received 1"), ({"shard": -1}, "received -1"), ({"num_shards": 0}, "a shard from"),
    ({"dtype": "float64"}, "received float64"), ({"batch_size": 0}, "a batch_size of 1 or more"),
    ({"shard_size": 0}, "a shard_size of 1 or more")])
def test_mistakes(values, said):
    with pytest.raises(UserError, match=said):
        EmbedConfig(**values)


@pytest.mark.parametrize(("name", "options"), [
    ("plain.jpg", {}), ("alpha.png", {}), ("turned.jpg", {"exif": True}), ("boxed.jpg", {"box": (3, 4, 60, 40)})])
def test_pixels_are_those_that_the_model_would_see(paint, name, options):
    if options.pop("exif", False):
        exif = Image.Exif()
        exif[0x0112] = 6
        options["exif"] = exif
    box = options.pop("box", None)
    image = ImageRef("p", paint(name, 0, (90, 60), **options), box)
    pixels = preparation(48)(image)
    expected = resize_long_side(decode_image(tf.constant(model_input(image))), 48).numpy()
    np.testing.assert_array_equal(pixels, expected)
    assert max(pixels.shape[:2]) == 48
    if name == "turned.jpg":
        assert pixels.shape[0] > pixels.shape[1]
        assert preparation(48, apply_exif=False)(image).shape == (32, 48, 3)


def test_bad_files_are_named(paint, tmp_path):
    whole = paint("whole.jpg", 0).read_bytes()
    buffer = io.BytesIO()
    Image.new("RGB", (20, 50)).save(buffer, "JPEG")
    cases = {b"": "empty", b"text": "not an image", whole[:len(whole) // 2]: "JPEG|OSError", buffer.getvalue(): "smaller"}
    for data, reason in cases.items():
        (tmp_path / "bad.jpg").write_bytes(data)
        with pytest.raises(InvalidImageError, match=reason):
            preparation(64)(ImageRef("bad", tmp_path / "bad.jpg"))
    with pytest.raises(InvalidImageError, match="no such file"):
        preparation(64)(ImageRef("bad", tmp_path / "absent.jpg"))


def test_the_reason_is_that_of_the_records(paint):
    cut = paint("cut.jpg", 1, progressive=True)
    cut.write_bytes(cut.read_bytes()[:-200])
    with pytest.raises(InvalidImageError) as of_records:
        model_input(ImageRef("cut", cut))
    with pytest.raises(InvalidImageError) as of_embedding:
        preparation(64, True)(ImageRef("cut", cut))
    assert of_embedding.value.reason == of_records.value.reason


@given(st.lists(st.integers(1, 4), max_size=40), st.integers(1, 5), st.integers(1, 12))
def test_everything_comes_out_once_in_batches_of_one_shape(sizes, batch_size, waiting):
    taken = 0

    def items():
        nonlocal taken
        for number, size in enumerate(sizes):
            taken += 1
            yield number, np.full([size, 2], number)

    seen = []
    for names, batch in bucket_by_shape(items(), batch_size, waiting):
        assert 1 <= len(names) == len(batch) <= batch_size
        assert batch.shape[1] == sizes[names[0]]
        np.testing.assert_array_equal(batch[:, 0, 0], names)
        assert taken - len(seen) <= waiting + 1
        seen += names
    assert sorted(seen) == list(range(len(sizes)))


def test_full_batches_do_not_wait_for_the_others():
    items = ((number, np.zeros([number % 2 + 1])) for number in range(100))
    assert next(bucket_by_shape(items, 3, 50))[0] == [0, 2, 4]


