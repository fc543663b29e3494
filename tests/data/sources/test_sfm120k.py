from landmark_zoo.data.sources.sfm120k import sfm120k


def test_a_list_and_one_archive():
    assert [(file.path, file.unpack_to) for file in sfm120k().files] == [
        ("sfm120k/retrieval-SfM-120k.pkl", None), ("sfm120k/.archives/ims.tar.gz", "sfm120k/ims")]
