import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from landmark_zoo.data.datasets import image_formats as module
from landmark_zoo.data.datasets.image_formats import (
    OTHER_SUFFIXES,
    SUFFIXES,
    file_name,
    is_image_head,
    looks_like_image,
    without_suffix,
)
from landmark_zoo.data.datasets.images import InvalidImageError, read_image


def difference(data, image):
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    return np.abs(pixels - np.asarray(image.convert("RGB")).astype(int)).mean()


@pytest.mark.parametrize(("kind", "suffix"), [("AVIF", ".avif"), ("HEIF", ".heic")])
def test_formats_of_phones_are_read_upright_where_their_decoder_is(kind, suffix, make_image, encode):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("Pillow without AVIF")
    image, exif = make_image(), Image.Exif()
    exif[0x0112] = 6
    data = encode(image, kind, quality=95, exif=exif)
    assert difference(read_image(data).encoded, ImageOps.exif_transpose(Image.open(io.BytesIO(data)))) < 3
    assert suffix in SUFFIXES


def test_the_reason_says_what_would_read_a_file(monkeypatch):
    monkeypatch.setattr(module, "_OPTIONAL", (("HEIF", (".heic",), False, "pip install pillow-heif reads them"),))
    for brand, reason in ((b"heic", "HEIF: pip install pillow-heif"), (b"mif1", "HEIF: pip"), (b"isom", "not an image")):
        with pytest.raises(InvalidImageError, match=reason):
            read_image(b"\0\0\0\x18ftyp" + brand + bytes(60))


def test_every_suffix_is_read_or_has_a_remedy():
    for suffix in (".jpe", ".jfif", ".heic", ".heif", ".avif", ".nef"):
        assert (suffix in SUFFIXES) != (suffix in OTHER_SUFFIXES)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_the_head_tells_an_image(kind, make_image, encode, tmp_path):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("Pillow without AVIF")
    (tmp_path / "file").write_bytes(encode(make_image(), kind))
    assert looks_like_image(tmp_path / "file")


@pytest.mark.parametrize("data", [b"", b"BM", b"BMW drives past", b"RIFF....WAVEfmt ", b"....ftypisom", b"%PDF-1.7",
                                  b"PK\x03\x04", b"\x89PNG", b"\xff\xd8"])
def test_other_bytes_are_no_image(data):
    assert not is_image_head(data[:12], len(data))


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
def test_what_is_no_regular_file_is_no_image(make, tmp_path):
    make(tmp_path / "x")
    assert not looks_like_image(tmp_path / "x")


@pytest.mark.parametrize(("name", "file", "bare"), [
    ("a", "a.jpg", "a"), ("a.jpg", "a.jpg", "a"), ("a.PNG", "a.PNG", "a"), ("st.mary", "st.mary.jpg", "st.mary")])
def test_names_with_and_without_a_suffix(name, file, bare):
    assert (file_name(name), without_suffix(name)) == (file, bare)
