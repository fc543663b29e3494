import pytest

from landmark_zoo.core.files import read_json
from landmark_zoo.data.sources.paris6k import CORRUPT, paris6k, paris6k_photographs


def test_photographs_and_texts():
    assert [(file.path, file.unpack_to, file.flatten) for file in paris6k().files] == [
        ("paris6k/.archives/paris_1-v1.tgz", "paris6k/jpg", True),
        ("paris6k/.archives/paris_2-v1.tgz", "paris6k/jpg", True),
        ("paris6k/.archives/paris_120310.tgz", "paris6k/lab", True)]
    assert paris6k().files[:2] == paris6k_photographs()


@pytest.mark.photographs
def test_no_ground_truth_names_the_twenty_corrupt_ones(shared_data):
    truth = read_json(shared_data / "ground_truth/gnd_rparis6k.json")
    assert len(CORRUPT) == 20
    assert not CORRUPT & {*truth["imlist"], *truth["qimlist"]}
