from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.sources.source import Source

SOURCE = Source("x", "x", (RemoteFile("http://h/l.csv", "x/l.csv", 1),
                           *(RemoteFile(f"http://h/{n}.tar", f"x/{n}.tar", 1, unpack_to="x/a") for n in range(3)),
                           *(RemoteFile(f"http://h/b{n}.tar", f"x/b{n}.tar", 1, unpack_to="x/b") for n in range(3))))


def test_a_part_has_all_lists_and_the_first_archives_of_each_folder():
    assert [file.path for file in SOURCE.part(1).files] == ["x/l.csv", "x/0.tar", "x/b0.tar"]
    assert SOURCE.part(None) == SOURCE.part(9) == SOURCE


def test_a_mirror():
    assert [file.url for file in SOURCE.at_mirror("http://m").part(1).files] == [
        "http://m/l.csv", "http://m/0.tar", "http://m/b0.tar"]
    assert SOURCE.at_mirror(None) is SOURCE
