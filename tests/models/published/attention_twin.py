"""ResNets with attention at the end of every residual branch, in PyTorch, written from the facts alone.

    python tests/models/published/attention_twin.py FOLDER

As `twin.py`: FOLDER/asked.json lists the networks, FOLDER/images.npz holds images; of each network the checkpoint is written
in its authors' form, and `<file>.npz` with the mean of its last map, at length 1.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import twin
from torch import nn


class ChannelGate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, channels // 16), nn.ReLU(),
                                 nn.Linear(channels // 16, channels))

    def forward(self, x):
        gate = torch.sigmoid(self.mlp(x.mean((2, 3), keepdim=True)) + self.mlp(x.amax((2, 3), keepdim=True)))
        return x * gate[..., None, None]


class SpatialGate(nn.Module):
    def __init__(self):
        super().__init__()
        self.spatial = nn.Module()
        self.spatial.conv, self.spatial.bn = nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1)

    def forward(self, x):
        pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.spatial.bn(self.spatial.conv(pooled)))


class CBAM(nn.Module):
    def __init__(self, channels, stage):
        super().__init__()
        self.ChannelGate, self.SpatialGate = ChannelGate(channels), SpatialGate()

    def forward(self, x):
        return self.SpatialGate(self.ChannelGate(x))


class SE(nn.Module):
    """Two dense layers without biases."""

    def __init__(self, channels, stage):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(channels, channels // 16, bias=False), nn.ReLU(),
                                nn.Linear(channels // 16, channels, bias=False), nn.Sigmoid())

    def forward(self, x):
        return x * self.fc(x.mean((2, 3)))[..., None, None]


class TimmSE(nn.Module):
    """Two 1x1 convolutions with biases."""

    def __init__(self, channels, stage):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, channels // 16, 1), nn.Conv2d(channels // 16, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class ECA(nn.Module):
    def __init__(self, channels, stage):
        super().__init__()
        size = (3, 5, 5, 7)[stage]
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, x):
        return x * torch.sigmoid(self.conv(x.mean((2, 3))[:, None]))[:, 0, :, None, None]


class AttentiveBottleneck(twin.Bottleneck):
    """A bottleneck with attention, under the name that its project gives it."""

    name, kind, first_width = "", nn.Identity, 1

    def __init__(self, inputs, width, stride):
        super().__init__(inputs, width, stride)
        self.add_module(self.name, self.kind(4 * width, (width // self.first_width).bit_length() - 1))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(y)))))
        return torch.relu(getattr(self, self.name)(y) + (self.downsample(x) if hasattr(self, "downsample") else x))


def wrapped(state):
    return {"epoch": 100, "state_dict": {f"module.{name}": values for name, values in state.items()}, "best_prec1": 77.0}


KINDS = {"CBAM": ("cbam", CBAM, wrapped, False), "SE": ("se", SE, dict, False), "TimmSE": ("se", TimmSE, dict, True),
         "ECA": ("eca", ECA, wrapped, False)}
"""Name and module of the attention, form of the file, and whether torch 1.6 or later wrote it."""


def main(folder):
    images = dict(np.load(folder / "images.npz"))
    for seed, asked in enumerate(json.loads((folder / "asked.json").read_text())):
        torch.manual_seed(seed)
        name, kind, form, new = KINDS[asked["kind"]]
        twin.Bottleneck = type("Attentive", (AttentiveBottleneck,), {
            "name": name, "kind": kind, "first_width": asked["width"]})
        network = twin.Torchvision(asked["depth"], asked["width"], 8).eval()
        twin.randomize(network)
        torch.save(form(network.saved()), folder / asked["file"], _use_new_zipfile_serialization=new)
        with torch.no_grad():
            np.savez(folder / f"{asked['file']}.npz", **twin.embed(network, images))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
