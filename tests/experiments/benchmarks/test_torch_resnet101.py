import pytest

from experiments.benchmarks.torch_resnet101 import torch_resnet101


def test_parameters_and_shape():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is compared with where it is.")
    network = torch_resnet101()
    assert sum(parameter.numel() for parameter in network.parameters()) == 44_549_160 - 2048 * 1000 - 1000  # He et al.
    assert network(torch.zeros(2, 3, 64, 96)).shape == (2, 2048)
