import io
import runpy

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.analysis.photographs import Block, Photographs
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.embed_blocks import embed_blocks
from landmark_zoo.retrieval.saved_model import EmbeddingModel


@pytest.fixture(scope="module")
def model(root, tmp_path_factory):
    write = runpy.run_path(str(root / "tests/retrieval/tiny_saved_model.py"))["write_tiny_saved_model"]
    return EmbeddingModel(write(tmp_path_factory.mktemp("models") / "tiny" / "1"))


def jpeg(seed):
    buffer = io.BytesIO()
    colours = np.random.default_rng(seed).integers(30, 226, [2, 2, 3], np.uint8)
    Image.fromarray(colours).resize((64, 48), Image.Resampling.NEAREST).save(buffer, "JPEG")
    return buffer.getvalue()


class Files:
    """Photographs in memory that remember which were read; None is one that is missing."""

    def __init__(self, *files, part="train"):
        self.files, self.reads, self.part = list(files), [], part

    def photographs(self, fingerprints=("one", "two")):
        blocks = [Block(2 * number, min(2 * number + 2, len(self.files)), fingerprint * 16)
                  for number, fingerprint in enumerate(fingerprints[:-(-len(self.files) // 2)])]
        return Photographs(self.part, [f"{self.part}{number}" for number in range(len(self.files))],
                           [""] * len(self.files), blocks, self.read)

    def read(self, number):
        self.reads.append(number)
        if self.files[number] is None:
            raise BadPhotograph("no such file")
        return self.files[number]


def test_embeds_the_parts_in_their_order_without_what_cannot_be_embedded(model, tmp_path):
    black = io.BytesIO()
    Image.new("RGB", (64, 48)).save(black, "PNG")
    train = Files(jpeg(0), None, jpeg(1), black.getvalue())
    found = embed_blocks(model, [train.photographs(), Files(jpeg(2), part="validation").photographs(("three",))], tmp_path)
    assert list(found.ids) == ["train0", "train2", "validation0"]
    np.testing.assert_allclose(found.vectors, model.embed_bytes([jpeg(0), jpeg(1), jpeg(2)]), atol=1e-6)
    assert found.provenance["skipped"] == 2


def test_only_blocks_that_changed_are_embedded_again(model, tmp_path):
    files = Files(jpeg(0), jpeg(1), jpeg(2))
    first = embed_blocks(model, [files.photographs()], tmp_path)
    assert sorted(files.reads) == [0, 1, 2]
    again = embed_blocks(model, [files.photographs(("one", "changed"))], tmp_path)
    assert sorted(files.reads) == [0, 1, 2, 2]
    np.testing.assert_array_equal(first.vectors, again.vectors)


def test_no_photograph_at_all_is_one_line(model, tmp_path):
    with pytest.raises(UserError, match="2 that are not"):
        embed_blocks(model, [Files(None, b"text").photographs(("one",))], tmp_path)
