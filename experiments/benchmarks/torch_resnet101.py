"""ResNet-101 in PyTorch, for comparing speeds."""

from collections import OrderedDict
from typing import Any

BLOCKS, WIDTHS = (3, 4, 23, 3), (64, 128, 256, 512)


def torch_resnet101() -> Any:
    """Returns the network of He et al. (CVPR 2016) with random weights: images [N, 3, H, W] to averaged features [N, 2048].

    Strides are in the 3 x 3 convolutions, as in torchvision.

    Raises:
        ImportError: PyTorch is not installed.
    """
    from torch import nn

    class Bottleneck(nn.Module):
        """1 x 1, 3 x 3 and 1 x 1 convolutions beside a shortcut."""

        def __init__(self, inputs: int, width: int, stride: int):
            super().__init__()
            self.residual = nn.Sequential(_convolution(nn, inputs, width, 1, 1), nn.ReLU(inplace=True),
                                          _convolution(nn, width, width, 3, stride), nn.ReLU(inplace=True),
                                          _convolution(nn, width, 4 * width, 1, 1))
            same = inputs == 4 * width and stride == 1
            self.shortcut = nn.Identity() if same else _convolution(nn, inputs, 4 * width, 1, stride)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, features):
            return self.relu(self.residual(features) + self.shortcut(features))

    inputs, layers = 64, [("stem", _convolution(nn, 3, 64, 7, 2)), ("relu", nn.ReLU(inplace=True)),
                          ("pool", nn.MaxPool2d(3, 2, 1))]
    for stage, (blocks, width) in enumerate(zip(BLOCKS, WIDTHS, strict=True)):
        for block in range(blocks):
            layers.append((f"stage{stage}_{block}", Bottleneck(inputs, width, 2 if stage and not block else 1)))
            inputs = 4 * width
    return nn.Sequential(OrderedDict([*layers, ("mean", nn.AdaptiveAvgPool2d(1)), ("flat", nn.Flatten())])).eval()


def _convolution(nn: Any, inputs: int, outputs: int, kernel: int, stride: int) -> Any:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))
