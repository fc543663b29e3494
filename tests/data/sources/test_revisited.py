import pytest

from landmark_zoo.data.sources.oxford5k import oxford5k
from landmark_zoo.data.sources.paris6k import paris6k
from landmark_zoo.data.sources.revisited import PHOTOGRAPHS, revisited


@pytest.mark.parametrize(("name", "old"), [("roxford5k", oxford5k), ("rparis6k", paris6k)])
def test_a_ground_truth_and_the_photographs_of_the_first_benchmark(name, old):
    truth, *photographs = revisited(name).files
    assert truth.path == f"{name}/gnd_{name}.pkl"
    assert set(photographs) < set(old().files)
    assert old().folder == PHOTOGRAPHS[name]
