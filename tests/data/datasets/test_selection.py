import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets import selection as module
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.datasets.selection import (
    find_duplicates,
    keep_out_landmarks,
    list_duplicates,
    read_landmarks,
    select_landmarks,
    train_validation_test_split,
)

COUNTS = {"a": 5, "b": 4, "c": 3, "d": 1}
ALL = ImageList(tuple(ImageEntry(f"{name}{n}", "x.jpg", name) for name, count in COUNTS.items() for n in range(count)), "x")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "index.csv").write_text("id\na1\n")
    (tmp_path / "test.csv").write_text("id\nzz\n")
    (tmp_path / "out.csv").write_text("landmark_id\nb\n")
    (tmp_path / "train_clean.csv").write_text("landmark_id,images\na,a0\nb,b0\nc,c0\n")
    (tmp_path / "rgldv2_clean.csv").write_text("landmark_id,images\na,a0\nb,b0\n")
    return tmp_path


@pytest.mark.parametrize(("choice", "kept"), [
    ({}, "abcd"), ({"exclude_benchmark": "{}"}, "bcd"), ({"exclude": "{}/out.csv"}, "acd"), ({"exclude": "rgldv2"}, "abd"),
    ({"min_count": 2}, "abc"), ({"top_classes": 2}, "ab"),
    ({"exclude": "{}/out.csv", "exclude_benchmark": "{}", "top_classes": 1}, "c")])
def test_select_landmarks(folder, choice, kept):
    choice = {key: value.format(folder) if isinstance(value, str) else value for key, value in choice.items()}
    assert "".join(sorted(select_landmarks(ALL, folder, **choice).landmark_counts)) == kept


@pytest.mark.parametrize(("rows", "said"), [
    ("b\nunknown\n", "received 1 others: unknown. Remove"), ("B\n", "received 1 others: B"), ("", "received none"),
    ("".join(f"x{number}\n" for number in range(9)), r"9 others: x0, x1, x2, x3, x4 \.\.\.")])
def test_an_exclusion_that_matches_nothing_is_named(folder, rows, said):
    (folder / "out.csv").write_text(f"landmark_id\n{rows}")
    with pytest.raises(UserError, match=said):
        select_landmarks(ALL, folder, exclude=str(folder / "out.csv"))


def test_a_benchmark_that_excludes_nothing_is_said(folder, caplog):
    (folder / "index.csv").write_text("id\nzz\n")
    assert len(select_landmarks(ALL, folder, exclude_benchmark=str(folder))) == len(ALL)
    assert f"No landmark here is among those that have images in {folder}" in caplog.messages


def test_landmarks_of_images(tmp_path, caplog):
    (tmp_path / "l.csv").write_text("id,landmark\na,arch\nb,tower\nz,gate\n")
    assert read_landmarks(tmp_path / "l.csv", ["a", "b", "c"], "landmark") == {"a": "arch", "b": "tower", "z": "gate"}
    assert caplog.messages == [f"1 images have no row in {tmp_path / 'l.csv'}, first c",
                               f"1 rows name no image in {tmp_path / 'l.csv'}, first z"]


@pytest.mark.parametrize(("rows", "said"), [
    ("z,gate\n", "received 1 of others, first z"), ("", "received none"), ("a,arch\na,gate\n", "two for a")])
def test_landmarks_of_no_image_or_two_of_one_are_refused(tmp_path, rows, said):
    (tmp_path / "l.csv").write_text(f"id,landmark\n{rows}")
    with pytest.raises(UserError, match=said):
        read_landmarks(tmp_path / "l.csv", ["a", "b"], "landmark")


def test_select_landmarks_leaves_none(folder):
    with pytest.raises(UserError, match="none"):
        select_landmarks(ALL, folder, min_count=6)


def image_list(counts):
    return ImageList(tuple(ImageEntry(f"{name}-{n}", "x", str(name)) for name, count in enumerate(counts)
                           for n in range(count)), "x")


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.floats(0, 0.5), st.floats(0, 0.4), st.integers(0, 5))
def test_split_is_a_partition_with_every_landmark_in_training(counts, validation, test, seed):
    parts = train_validation_test_split(image_list(counts), validation, test, seed)
    ids = [entry.id for part in parts.values() if part for entry in part]
    assert sorted(ids) == sorted(entry.id for entry in image_list(counts))
    assert set(parts["train"].landmark_counts) == {str(name) for name in range(len(counts))}
    assert ("test" in parts) == bool(test)


def test_split_fractions_that_leave_no_training():
    with pytest.raises(UserError, match="below 1 together"):
        train_validation_test_split(image_list([3]), 0.5, 0.5, 0)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=40), st.floats(0, 0.5), st.integers(0, 5))
def test_landmarks_kept_out_are_whole_and_have_partners(counts, fraction, seed):
    images, pairs = image_list(counts), sum(count > 1 for count in counts)
    rest, kept_out = keep_out_landmarks(images, fraction, seed)
    if kept_out is None:
        assert rest is images
        return
    assert sorted(entry.id for part in (rest, kept_out) for entry in part) == sorted(entry.id for entry in images)
    assert not rest.landmark_counts.keys() & kept_out.landmark_counts.keys()
    assert min(kept_out.landmark_counts.values()) > 1
    assert len(kept_out.landmark_counts) == max(int(pairs * fraction + 0.5), 2)
    assert pairs >= 8
    assert len(kept_out.landmark_counts) >= 2
    assert len(kept_out) >= 20


@pytest.mark.parametrize(("counts", "fraction", "kept"), [
    ([20] * 10, 0.15, 2), ([20] * 8, 0.15, 2), ([20] * 8, 0.05, 0), ([20] * 8, 0.25, 2), ([20] * 7, 0.5, 0),
    ([20] * 20, 0, 0),
    ([20] * 7 + [1] * 50, 0.5, 0), ([9] * 10, 0.15, 0), ([10] * 10, 0.15, 2), ([2] * 100, 0.15, 15),
    ([3000] * 40, 0.15, 2), ([60] * 1000, 0.15, 84)])
def test_how_many_landmarks_are_kept_out(caplog, counts, fraction, kept):
    """Of few none, of many until they hold 5,000 images."""
    caplog.set_level("INFO", logger="absl")
    _, kept_out = keep_out_landmarks(image_list(counts), fraction, 0)
    assert len(kept_out.landmark_counts if kept_out else ()) == kept
    said = f"{kept} of {len(counts)} landmarks are kept out" if kept else "No landmark is kept out"
    assert (said in caplog.text) == (fraction > 0)


def test_landmarks_kept_out_depend_on_the_seed_and_not_on_the_others():
    first, again, other = (set(keep_out_landmarks(image_list([9] * 40), 0.2, seed)[1].landmark_counts) for seed in (0, 0, 1))
    assert first == again != other
    order = ImageList(image_list([9] * 40).entries[::-1], "x")
    assert set(keep_out_landmarks(order, 0.2, 0)[1].landmark_counts) == first
    assert set(keep_out_landmarks(image_list([9] * 60), 0.2, 0)[1].landmark_counts) & first


def test_a_fraction_of_all_landmarks_is_no_fraction():
    with pytest.raises(ValueError, match="below 1; received 1"):
        keep_out_landmarks(image_list([20] * 10), 1, 0)


@pytest.fixture
def parts(tmp_path):
    contents = {"a": b"1", "b": b"1", "c": b"2", "d": b"1"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    entries = [ImageEntry(name, str(tmp_path / name), "x" if name != "d" else "y") for name in contents]
    return {"train": ImageList(entries[:3], "s"), "validation": ImageList(entries[3:], "s"), "test": None}


def ids(parts):
    return {name: part and [entry.id for entry in part] for name, part in parts.items()}


def test_list_duplicates(parts, tmp_path):
    assert list_duplicates(parts, tmp_path, skip=False) == parts
    assert (tmp_path / "duplicates.csv").read_text().splitlines() == [
        "id,path,reason", f"b,{tmp_path}/b,same file as a of the same landmark",
        f'd,{tmp_path}/d,"same file as a of another landmark, x"']


def test_list_duplicates_skipping_copies(parts, tmp_path):
    assert ids(list_duplicates(parts, tmp_path, skip=True)) == {"train": ["a", "c"], "validation": None, "test": None}


def test_list_duplicates_without_copies(parts, tmp_path):
    (tmp_path / "b").write_bytes(b"3")
    (tmp_path / "d").write_bytes(b"4")
    assert list_duplicates(parts, tmp_path, skip=True) == parts
    assert not (tmp_path / "duplicates.csv").exists()


@pytest.fixture
def images(tmp_path):
    """images(a=b"...", ...) -> entries whose landmark is the first letter of their id."""
    def make(**contents):
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        return [ImageEntry(name, str(tmp_path / name), name[0]) for name in contents]
    return make


def test_find_duplicates(images):
    entries = images(a1=b"x" * 9000, a2=b"y" * 9000, b1=b"x" * 9000, a3=b"x" * 9000, c=b"z")
    found = find_duplicates(entries)
    assert [(copy.entry.id, copy.first.id) for copy in found] == [("b1", "a1"), ("a3", "a1")]
    assert [copy.reason for copy in found] == ["same file as a1 of another landmark, a",
                                               "same file as a1 of the same landmark"]


def test_find_duplicates_compares_whole_files(images):
    assert find_duplicates(images(a=b"1" + b"x" * 9000, b=b"2" + b"x" * 9000)) == []


def test_find_duplicates_keeps_the_first(images):
    entries = images(a=b"x", b=b"x")
    assert [copy.entry.id for copy in find_duplicates(entries[::-1])] == ["a"]


def test_find_duplicates_ignores_missing_files(images):
    assert find_duplicates([*images(a=b"x", b=b"x"), ImageEntry("gone", "nowhere.jpg", "a")]) != []


def test_find_duplicates_reads_few_files_whole(images, monkeypatch):
    read = []
    sha256 = module.sha256
    monkeypatch.setattr(module, "sha256", lambda path: read.append(path) or sha256(path))
    entries = images(a=b"1", b=b"2", c=b"333", d=b"44", e=b"44")
    assert [copy.entry.id for copy in find_duplicates(entries)] == ["e"]
    assert read == [entries[3].path, entries[4].path]
