import subprocess
import sys
from pathlib import Path

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.retrieval.image_sequence import ImageSequence, folder_images


def images(count):
    return (ImageRef(f"p{number}", Path(f"folder/é{number}.jpg"), (1.0, 2.0, 30.5, 40.0) if number % 2 else None)
            for number in range(count))


def test_it_is_the_sequence_that_was_written(tmp_path):
    listed, expected = ImageSequence.write(tmp_path / "list.jsonl", images(700)), list(images(700))
    assert len(listed) == 700
    assert list(listed) == expected
    assert listed[255:258] == expected[255:258]
    assert listed[690:800] == expected[690:]
    assert listed[5:5] == []
    assert (listed[0], listed[-1]) == (expected[0], expected[-1])
    assert ImageSequence(tmp_path / "list.jsonl")[512] == expected[512]
    with pytest.raises(IndexError):
        listed[700]
    with pytest.raises(ValueError, match="without a step"):
        listed[::2]


def test_no_image_and_one_twice_are_refused(tmp_path):
    with pytest.raises(UserError, match="photographs to embed; received none"):
        ImageSequence.write(tmp_path / "list.jsonl", [])
    with pytest.raises(UserError, match="every id once; received p3 twice"):
        ImageSequence.write(tmp_path / "list.jsonl", [*images(9), ImageRef("p3", Path("x"))])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["", "{", '["a"]', '[1, "a", null]', '["a", "b", 3]', '{"a": 1}', '["a", "b", [NaN]]'])
def test_a_broken_line_names_the_file(tmp_path, line):
    (tmp_path / "list.jsonl").write_text(f"{line}\n")
    with pytest.raises(UserError, match=r"list\.jsonl"):
        list(ImageSequence(tmp_path / "list.jsonl"))


PEAKS = """
import sys, tracemalloc
from pathlib import Path
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.retrieval.image_sequence import ImageSequence
path = Path("image.jpg")  # Python keeps the names of paths
tracemalloc.start()
for count in (5_000, 45_000):
    tracemalloc.reset_peak()
    ImageSequence.write(sys.argv[1], (ImageRef(f"p{number}", path) for number in range(count)))
    print(tracemalloc.get_traced_memory()[1])
"""


def test_a_name_takes_a_few_bytes(root, tmp_path):
    """Bytes of Python's and NumPy's memory, in a process of its own: other tests' threads would count too."""
    done = subprocess.run([sys.executable, "-c", PEAKS, str(tmp_path / "list.jsonl")], cwd=root, check=True,
                          capture_output=True, text=True)
    few, many = map(int, done.stdout.split())
    assert many - few < 40_000 * 32  # 17, and the growth of the array


def test_ids_and_order_of_read_folder(tmp_path):
    for name in ("a/x.jpg", "a/y.JPG", "b/x.png", "b/c/z.webp", "top.gif", ".hidden/h.jpg", "a/text.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = list(folder_images(tmp_path))
    assert [(image.id, str(image.path)) for image in found] == [
        (entry.id, entry.path) for entry in read_folder([tmp_path]).entries]
    assert {image.id for image in found} == {"top", "y", "z", "a/x.jpg", "b/x.png"}


def test_no_images(tmp_path):
    with pytest.raises(UserError, match=r"images .* received none"):
        list(folder_images(tmp_path))
    with pytest.raises(UserError, match="a folder at"):
        list(folder_images(tmp_path / "absent"))
