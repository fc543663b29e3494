from landmark_zoo.data.sources.revisitop1m import revisitop1m


def test_a_list_and_a_hundred_archives_counted_from_one():
    listing, *archives = revisitop1m().files
    assert listing.path == "revisitop1m/revisitop1m.txt"
    assert [file.url.rpartition("/")[2] for file in archives] == [f"revisitop1m.{n}.tar.gz" for n in range(1, 101)]
