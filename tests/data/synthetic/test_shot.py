from landmark_zoo.data.synthetic.shot import Shot


def test_the_id_is_the_name_of_the_file():
    assert Shot("train/a/b/c/abc0.jpg", 1, 2).image_id == "abc0"
    assert Shot("revisited/jpg/arch_0004_000001.jpg", 4, 1).image_id == "arch_0004_000001"
