"""One image, one set of pixels: the records' reader, what `embed` hands on, and what an export decodes by itself."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from landmark_zoo.data.datasets import images as pillow
from landmark_zoo.data.datasets.images import InvalidImageError, read_image, read_lossless
from landmark_zoo.data.image_headers import gif_first_frame, read_header, turn_upright
from landmark_zoo.data.image_ops import decode_image

header = tf.function(read_header, input_signature=[tf.TensorSpec([], tf.string)])  # as in an export; quick to call


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def pixels(data: tf.Tensor) -> tf.Tensor:
    return turn_upright(decode_image(data), read_header(data).orientation)


def served(data: bytes) -> np.ndarray:
    """The pixels of `serving_default`."""
    assert fault(data) == ""
    return pixels(tf.constant(data)).numpy()


def fault(data: bytes) -> str:
    return header(tf.constant(data)).fault.numpy().decode()


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def coarse(image: np.ndarray) -> np.ndarray:
    """Means of blocks of 8 x 8 pixels, which JPEG keeps even of noise."""
    return np.asarray(Image.fromarray(image.astype(np.uint8)).reduce(8)).astype(int)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(bits: int, color: int, *more: bytes, width: int = 64, height: int = 48) -> bytes:
    """A PNG of noise with any depth and color type, and further chunks."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    rows = np.random.default_rng(0).integers(0, 256, [height, 1 + width * channels * bits // 8], np.uint8)
    rows[:, 0] = 0
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0))
            + b"".join(more) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b""))


def half_transparent(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def text(name: str, content: str, packed: bool = False) -> PngInfo:
    info = PngInfo()
    info.add_itxt(name, content, zip=packed)
    return info


XMP = '<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
SAME = {  # all three see the same pixels
    "jpeg": lambda p, e: e(p),
    "progressive jpeg": lambda p, e: e(p, progressive=True),
    "gray jpeg": lambda p, e: e(p.convert("L")),
    "cmyk jpeg": lambda p, e: e(p.convert("CMYK")),
    "jpeg with damaged exif": lambda p, e: e(p, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "jpeg with junk for exif": lambda p, e: e(p, exif=b"Exif\0\0junk of many bytes"),
    "jpeg turned by xmp": lambda p, e: e(p, xmp=XMP.encode()),
    "jpeg turned by exif before xmp": lambda p, e: e(p, xmp=XMP.encode(), exif=exif(3)),
    "mpo": lambda p, e: e(p, "MPO", save_all=True, append_images=[p.rotate(90)]),
    "png": lambda p, e: e(p, "PNG"),
    "gray png": lambda p, e: e(p.convert("L"), "PNG"),
    "alpha": lambda p, e: e(half_transparent(p), "PNG"),
    "gray and alpha": lambda p, e: e(half_transparent(p).convert("LA"), "PNG"),
    "transparent color": lambda p, e: e(p.point(lambda v: v // 128 * 128), "PNG", transparency=(128, 0, 0)),
    "animated png": lambda p, e: e(p, "PNG", save_all=True, append_images=[p.rotate(90)]),
    "turned png": lambda p, e: e(p, "PNG", exif=exif(8)),
    "png turned by xmp": lambda p, e: e(p, "PNG", pnginfo=text("XML:com.adobe.xmp", XMP)),
    "bmp": lambda p, e: e(p.resize((63, 47)), "BMP"),
    "palette bmp": lambda p, e: e(p.resize((63, 47)).quantize(64), "BMP"),
    "gray bmp": lambda p, e: e(p.convert("L"), "BMP"),
    "gif": lambda p, e: e(p, "GIF"),
    "interlaced gif": lambda p, e: e(p, "GIF", interlace=1),
    "animated gif": lambda p, e: e(p, "GIF", save_all=True, append_images=[p.rotate(90)]),
} | {f"jpeg of orientation {turn}": lambda p, e, turn=turn: e(p, exif=exif(turn)) for turn in (0, *range(2, 10))} | {
    f"palette of {2**bits}": lambda p, e, bits=bits: e(p.quantize(2**bits), "PNG", bits=bits) for bits in (1, 2, 4, 8)} | {
    f"transparent palette of {2**bits}": lambda p, e, bits=bits: e(p.quantize(2**bits), "PNG", bits=bits, transparency=1)
    for bits in (1, 2, 4, 8)} | {
    f"half-transparent palette of {2**bits}": lambda p, e, bits=bits: e(p.quantize(2**bits), "PNG", bits=bits,
                                                                      transparency=bytes(range(0, 2**bits * 15, 15)[:17]))
    for bits in (1, 2, 4)} | {
    f"gray of {bits} bits": lambda p, e, bits=bits: png(bits, 0) for bits in (1, 2, 4, 8, 16)} | {
    f"transparent gray of {bits} bits": lambda p, e, bits=bits: png(bits, 0, chunk(b"tRNS", b"\0\1"))
    for bits in (1, 2, 4, 8, 16)} | {
    f"16 bits, color type {color}": lambda p, e, color=color: png(16, color) for color in (2, 4, 6)} | {
    "transparent color of 16 bits": lambda p, e: png(16, 2, chunk(b"tRNS", b"\0\1\0\2\0\3"))}


@pytest.mark.parametrize("kind", SAME)
def test_records_embed_and_exports_see_the_same_pixels(make_image, encode, kind):
    data = SAME[kind](make_image(), encode)
    expected = served(read_lossless(data)).astype(int)
    assert np.abs(served(data) - expected).max() <= 1
    assert np.abs(opened(read_lossless(data)).astype(int) - expected).max() == 0
    assert np.abs(coarse(served(read_image(data).encoded)) - coarse(expected)).max() < 12
    assert orientation(read_lossless(data)) == 1


def gif_with_a_small_frame(p, e):
    data = e(p.quantize(64), "GIF")
    return data[:6] + struct.pack("<HH", p.width + 9, p.height) + data[10:]


REFUSED = {  # read by records, refused by exports, which name the reason
    "1-bit bmp": (lambda p, e: e(p.convert("1"), "BMP"), "a BMP of 1 bits a pixel, compression 0"),
    "32-bit bmp": (lambda p, e: e(half_transparent(p), "BMP"), "a BMP of 32 bits"),
    "transparent gif": (lambda p, e: e(p.quantize(64), "GIF", transparency=3), "a GIF with a transparent color"),
    "frame smaller than its canvas": (gif_with_a_small_frame, "a GIF whose first frame does not fill its canvas"),
    "webp": (lambda p, e: e(p, "WEBP"), "a WebP file"),
    "tiff": (lambda p, e: e(p, "TIFF"), "a TIFF file"),
    "packed xmp": (lambda p, e: e(p, "PNG", pnginfo=text("XML:com.adobe.xmp", XMP, packed=True)), "a PNG whose EXIF lies"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_exports_refuse_what_they_would_decode_otherwise(make_image, encode, kind):
    make, reason = REFUSED[kind]
    data = make(make_image(), encode)
    assert fault(data).startswith(reason)
    assert np.abs(coarse(served(read_image(data).encoded)) - coarse(opened(read_lossless(data)))).max() < 12


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_small_images_are_refused_by_all_for_one_reason(make_image, encode, kind):
    data = encode(make_image(20, 50), kind)
    with pytest.raises(InvalidImageError, match="20 x 50 px, smaller than 32"):
        read_image(data)
    assert fault(data).endswith("20 x 50 px, smaller than 32")


def large(encode, image, kind: str, side: int) -> bytes:
    """A small file whose header says side x side pixels."""
    data = bytearray(encode(image, kind))
    at, order = {"JPEG": (data.find(b"\xff\xc0") + 5, ">HH"), "PNG": (16, ">II"), "GIF": (6, "<HH"),
                 "BMP": (18, "<ii")}[kind]
    data[at:at + struct.calcsize(order)] = struct.pack(order, side, side)
    if kind == "PNG":
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
@pytest.mark.parametrize("side", [9460, 30000])
def test_large_images_are_refused_by_all_before_they_are_decoded(make_image, encode, kind, side):
    data = large(encode, make_image(), kind, side)
    with pytest.raises(InvalidImageError, match="too large, more than 89,478,485"):
        read_image(data)
    expected = f"one that is too large: {side} x {side} px, more than 89,478,485 in all"
    assert fault(data) == ("a GIF whose first frame does not fill its canvas" if kind == "GIF" else expected)


@pytest.mark.parametrize(("data", "reason"), [
    (b"", "an empty file"), (b"x", "something else"), (b"no image, but words enough for a header", "something else"),
    (b"\xff\xd8\xff", "a damaged or cut-off JPEG"), (b"\x89PNG\r\n\x1a\n", "a damaged or cut-off PNG"),
    (b"GIF89a", "a damaged or cut-off GIF"), (b"BM", "a damaged or cut-off BMP, or one of OS/2"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC or AVIF file"), (b"GIF89a" + b"\xff" * 200, "a damaged or cut-off GIF"),
    (b"\xff\xd8\xff" + bytes(99), "a damaged or cut-off JPEG")])
def test_what_is_no_image_is_named(data, reason):
    assert fault(data) == reason


def test_of_an_animated_gif_only_the_first_frame_is_handed_to_the_decoder(make_image, encode):
    others = [make_image(seed=seed) for seed in range(1, 9)]
    one, many = (encode(make_image(), "GIF", save_all=True, append_images=frames) for frames in ([], others))
    first = gif_first_frame(tf.constant(many)).numpy()
    assert len(first) < 1.2 * len(one)
    np.testing.assert_array_equal(opened(first), opened(many))
    assert gif_first_frame(tf.constant(b"GIF89a and no more")).numpy() == b"GIF89a and no more"


def tiff(little: bool, *entries: tuple[int, int, int, int]) -> bytes:
    order = "<" if little else ">"
    body = b"".join(struct.pack(order + "HHI", *entry[:3])
                    + (struct.pack(order + "HH", entry[3], 0) if entry[1] == 3 else struct.pack(order + "I", entry[3]))
                    for entry in entries)
    return (b"II*\0" if little else b"MM\0*") + struct.pack(order + "IH", 8, len(entries)) + body + bytes(4)


def with_exif(jpeg: bytes, content: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 8) + b"Exif\0\0" + content + jpeg[2:]


def orientation(data: bytes) -> int:
    return int(header(tf.constant(data)).orientation)


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize(("entries", "expected"), [
    ([(0x0112, 3, 1, 6)], 6), ([(0x010F, 4, 1, 9), (0x0112, 3, 1, 8), (0x011A, 4, 1, 3)], 8), ([(0x0112, 4, 1, 3)], 3),
    ([(0x0112, 3, 1, 9)], 1), ([(0x0112, 3, 0, 6)], 1), ([(0x0112, 2, 1, 6)], 1), ([(0x0113, 3, 1, 6)], 1), ([], 1)])
def test_orientation_in_both_byte_orders(make_image, encode, little, entries, expected):
    data = with_exif(encode(make_image()), tiff(little, *entries))
    assert orientation(data) == expected
    assert pillow._TURN.get(pillow._orientation(Image.open(io.BytesIO(data)))) == pillow._TURN.get(expected)


SIX = tiff(True, (0x010F, 4, 1, 9), (0x0112, 3, 1, 6))


@settings(max_examples=60)
@given(cut=st.integers(0, len(SIX)), place=st.integers(0, len(SIX) - 1), value=st.integers(0, 255))
@example(cut=len(SIX), place=4, value=255)
@example(cut=len(SIX), place=9, value=255)
def test_damaged_exif_never_fails_and_turns_as_the_records_do(make_image, encode, cut, place, value):
    content = bytearray(SIX)
    content[place] = value
    data = with_exif(encode(make_image()), bytes(content[:cut]))
    found = pillow._orientation(Image.open(io.BytesIO(data)))
    assert orientation(data) == (found if found in range(1, 9) else 1)


@settings(max_examples=60)
@given(kind=st.sampled_from(["JPEG", "PNG", "GIF", "BMP"]), cut=st.integers(0, 700), place=st.integers(0, 400),
       value=st.integers(0, 255))
def test_any_bytes_have_a_header(make_image, encode, kind, cut, place, value):
    data = bytearray(encode(make_image(), kind, **({"exif": exif(6)} if kind in ("JPEG", "PNG") else {})))
    data[place] = value
    assert orientation(bytes(data[:cut])) in range(1, 9)
    assert len(fault(bytes(data[:cut])).splitlines()) <= 1
