import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.google_landmarks import gldv2_path
from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef, images_checksum, model_input
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.datasets.sfm120k import sfm_path


def make(root, name):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize("name", [
    "0/a/1/0a1b.jpg", "index/0/a/1/0a1b.jpg", "test/0/a/1/0a1b.jpg", "train/0/a/1/0a1b.jpg", "jpg/0a1b.jpg", "0a1b.jpg",
    "0a1b.png", "taj/inside/0a1b.jpg", "taj/0a1b.WEBP"])
def test_every_layout(tmp_path, name):
    path = make(tmp_path, name)
    assert ImageLocator(tmp_path).locate("0a1b") == path


@pytest.mark.parametrize("find", [
    lambda root, name: ImageLocator(root).locate(name), lambda root, name: ImageRef.located(name, ImageLocator(root)),
    gldv2_path, sfm_path])
@pytest.mark.parametrize("name", ["../0a1b", "/etc/0a1b", "0a\0b1", "a/../../0a1b"])
def test_no_id_leads_out_of_the_folder(tmp_path, find, name):
    make(tmp_path, "0a1b.jpg")
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="lie below its folder; received"):
        find(tmp_path / "photos", name)


def test_short_and_odd_ids(tmp_path):
    assert ImageLocator(make(tmp_path, "a.jpg").parent).locate("a").name == "a.jpg"
    make(tmp_path, "jpg/all_souls_000013.jpg")
    assert ImageLocator(tmp_path).locate("all_souls_000013").parent.name == "jpg"


def test_the_usual_place_wins_over_another(tmp_path):
    first = make(tmp_path, "0/a/1/0a1b.jpg")
    make(tmp_path, "copies/0a1b.jpg")
    assert ImageLocator(tmp_path).locate("0a1b") == first


def test_the_folder_is_read_once(tmp_path, monkeypatch):
    for name in ("x/1.jpg", "x/2.jpg"):
        make(tmp_path, name)
    walks = []
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda *args, **options: walks.append(args) or walk(*args, **options))
    locator = ImageLocator(tmp_path)
    assert locator.locate("1").name == "1.jpg"
    assert locator.locate("2").name == "2.jpg"
    assert len(walks) == 1


@pytest.mark.parametrize("name", [
    "0/a/1/0a1b.jpg", "index/0/a/1/0a1b.jpg", "jpg/0a1b.jpg", "0a1b.jpg", "taj/inside/0a1b.jpg", "taj/0a1b.JPG"])
def test_an_id_may_carry_its_suffix(tmp_path, name):
    path = make(tmp_path, name)
    assert ImageLocator(tmp_path).locate("0a1b.jpg") == path


def test_a_suffix_tells_files_of_one_name_apart(tmp_path):
    for name in ("x/1.jpg", "y/1.png", "y/2.png", "z/2.png"):
        make(tmp_path, name)
    locator = ImageLocator(tmp_path)
    assert [locator.locate(name).parent.name for name in ("1.jpg", "1.png", "x/1.jpg", "z/2.png")] == ["x", "y", "x", "z"]
    with pytest.raises(UserError, match="received none"):
        locator.locate("1.gif")
    for name in ("1", "2", "2.png"):
        with pytest.raises(UserError, match="received several"):
            locator.locate(name)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", ".."])
def test_an_id_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    make(tmp_path, "x.jpg")
    make(tmp_path, "photos/1.jpg")
    with pytest.raises(UserError, match="that lie below its folder"):
        ImageRef.located(name, ImageLocator(tmp_path / "photos"))


def test_a_folder_that_is_not_utf8_is_refused(tmp_path):
    folder = make(tmp_path, os.fsdecode(b"\xe9/1.jpg")).parent
    with pytest.raises(UserError, match="a path whose names are UTF-8"):
        ImageLocator(folder)


def test_two_files_of_one_name(tmp_path):
    make(tmp_path, "x/1.jpg")
    make(tmp_path, "y/1.png")
    make(tmp_path, "y/2.jpg")
    with pytest.raises(UserError, match=r"one image named '1' .* received several"):
        ImageLocator(tmp_path).locate("1")
    assert ImageLocator(tmp_path).locate("2").name == "2.jpg"


def test_nothing_there(tmp_path):
    make(tmp_path, "x/1.txt")
    with pytest.raises(UserError, match=r"an image named '1' .* received none"):
        ImageLocator(tmp_path).locate("1")
    with pytest.raises(UserError, match="a folder of photographs"):
        ImageLocator(tmp_path / "nowhere")


@pytest.mark.photographs
def test_real_benchmark(shared_data):
    locator = ImageLocator(shared_data / "photos")
    ids = (shared_data / "benchmarks" / "provence" / "index.csv").read_text().split()[1:]
    assert all(locator.locate(image_id).stem == image_id for image_id in ids)


def test_an_image_is_whole_unless_a_box_is_given():
    assert ImageRef("a", Path("a.jpg")).box is None
    assert ImageRef("a", Path("a.jpg"), (0, 0, 9, 9)).box == (0, 0, 9, 9)


def test_located_by_id(paint, tmp_path):
    path = paint("jpg/all_souls_000013.jpg", 1)
    assert ImageRef.located("all_souls_000013", ImageLocator(tmp_path / "photos")) == ("all_souls_000013", path, None)


def test_what_is_not_there_gets_a_path_that_does_not_exist(paint, tmp_path):
    paint("a.jpg", 1)
    assert not ImageRef.located("b", ImageLocator(tmp_path / "photos")).path.exists()


def test_several_files_for_one_id_are_an_error(paint, tmp_path):
    paint("x/a.jpg", 1)
    paint("y/a.jpg", 2)
    with pytest.raises(UserError, match="received several"):
        ImageRef.located("a", ImageLocator(tmp_path / "photos"))


def pixels(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded)))


def exif(orientation: int) -> Image.Exif:
    facts = Image.Exif()
    facts[0x0112] = orientation
    return facts


def test_plain_jpeg_keeps_its_bytes(paint):
    path = paint("a.jpg", 1)
    assert model_input(ImageRef("a", path)) == path.read_bytes()


def test_box_keeps_the_exact_pixels_of_the_original(paint):
    path = paint("a.jpg", 1, (120, 90))
    cut = pixels(model_input(ImageRef("a", path, (10, 20, 90, 70))))
    np.testing.assert_array_equal(cut, np.asarray(Image.open(path))[20:70, 10:90])


def test_exif_turn_can_be_left_out(paint):
    path = paint("a.jpg", 1, (64, 48), exif=exif(6))
    assert pixels(model_input(ImageRef("a", path))).shape == (64, 48, 3)
    assert pixels(model_input(ImageRef("a", path), apply_exif=False)).shape == (48, 64, 3)


def test_box_is_in_the_pixels_as_stored_without_the_turn(paint):
    path = paint("a.jpg", 1, (64, 48), exif=exif(6))
    box = (0, 0, 64, 40)
    assert pixels(model_input(ImageRef("a", path, box), apply_exif=False)).shape == (40, 64, 3)
    with pytest.raises(UserError, match="48 x 64 pixels of a"):
        model_input(ImageRef("a", path, box))


@pytest.mark.parametrize("suffix", ["webp", "png", "bmp", "gif", "tiff"])
def test_what_is_no_jpeg_becomes_a_png_of_the_same_pixels(paint, suffix):
    path = paint(f"a.{suffix}", 1)
    found = model_input(ImageRef("a", path))
    assert found.startswith(b"\x89PNG")
    np.testing.assert_array_equal(pixels(found), np.asarray(Image.open(path).convert("RGB")))


def test_a_gray_jpeg_keeps_its_bytes(paint, tmp_path):
    Image.open(paint("a.jpg", 1)).convert("L").save(tmp_path / "gray.jpg")
    assert model_input(ImageRef("a", tmp_path / "gray.jpg")) == (tmp_path / "gray.jpg").read_bytes()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("apply_exif", [True, False])
def test_what_is_handed_on_has_no_orientation_left(paint, suffix, apply_exif):
    path = paint(f"a.{suffix}", 1, (64, 48), exif=exif(6))
    found = Image.open(io.BytesIO(model_input(ImageRef("a", path), apply_exif)))
    assert not dict(found.getexif())
    stored = Image.open(path).convert("RGB")
    expected = stored.transpose(Image.Transpose.ROTATE_270) if apply_exif else stored
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_bad_files(tmp_path, content):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidImageError):
        model_input(ImageRef("a", path))


def test_truncated_file(paint):
    path = paint("a.jpg", 1, (400, 300))
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(InvalidImageError):
        model_input(ImageRef("a", path))


def test_box_too_small_for_a_model(paint):
    with pytest.raises(InvalidImageError, match="10 x 40 px"):
        model_input(ImageRef("a", paint("a.jpg", 1), (0, 0, 40, 10)))


def test_depends_on_ids_boxes_and_sizes_but_not_on_the_place(tmp_path):
    first, second = tmp_path / "x.jpg", tmp_path / "y.jpg"
    first.write_bytes(b"12345")
    second.write_bytes(b"abcde")
    same = images_checksum([ImageRef("a", first)])
    assert images_checksum([ImageRef("a", second)]) == same
    second.write_bytes(b"longer")
    others = [[ImageRef("a", second)], [ImageRef("b", first)], [ImageRef("a", first, (0, 0, 1, 1))],
              [ImageRef("a", tmp_path / "missing.jpg")], []]
    assert len({same, *map(images_checksum, others)}) == 6
