from landmark_zoo.data.analysis.photographs import Block, Photographs


def test_has_the_length_of_its_list():
    photographs = Photographs("train", ["a", "b"], ["x", ""], [Block(0, 2, "f")], lambda number: b"%d" % number)
    assert len(photographs) == 2
    assert photographs.read(1) == b"1"
    assert photographs.missing == ()
