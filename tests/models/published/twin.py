"""Published networks in PyTorch, written from the facts alone: writes checkpoints in their authors' form, and embeds images.

    python tests/models/published/twin.py FOLDER

FOLDER/asked.json lists the networks: kind, depth, width of the first convolution, dimension, name of the file.
FOLDER/images.npz holds images [H, W, 3] "<number>", and as "<number>/bytes/<scale>" and "<number>/floats/<scale>" what
OpenCV makes of them. Of each network the checkpoint is written, and `<file>.npz` with its embedding of every image at one
scale, "<number>", and over the scales of its authors' test, "<number>/scales". Modules are nested as the authors' are, so
that the names of their tensors come about by themselves. All weights are random, and statistics of BatchNorm with them.
"""

import collections
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ROOT = 2 ** 0.5
SCALES = {"cirtorch": (1, ROOT, 1 / ROOT), "sfm": (1, 1 / ROOT, 0.5), "how": (2, 1.414, 1, 0.707, 0.5, 0.353, 0.25),
          "superglobal": (0.7071, 1, 1.4142)}


def convolution(inputs, outputs, size, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


class Basic(nn.Module):
    expansion = 1

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = convolution(width, width, 3), nn.BatchNorm2d(width)
        if stride > 1 or inputs != width:
            self.downsample = nn.Sequential(convolution(inputs, width, 1, stride), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = convolution(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = convolution(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(convolution(inputs, 4 * width, 1, stride), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


def children(depth, width):
    """The parts of a ResNet before its global pooling, in torchvision's order, and the channels of its last map."""
    block = Basic if depth < 50 else Bottleneck
    parts = [("conv1", convolution(3, width, 7, 2)), ("bn1", nn.BatchNorm2d(width)), ("relu", nn.ReLU()),
             ("maxpool", nn.MaxPool2d(3, 2, 1))]
    inputs = width
    for stage, number in enumerate(BLOCKS[depth]):
        blocks = []
        for index in range(number):
            blocks.append(block(inputs, width << stage, 2 if stage and not index else 1))
            inputs = (width << stage) * block.expansion
        parts.append((f"layer{stage + 1}", nn.Sequential(*blocks)))
    return collections.OrderedDict(parts), inputs


def sequence(depth, width, skipped=0):
    parts, channels = children(depth, width)
    parts = list(parts.values())
    return nn.Sequential(*parts[:len(parts) - skipped]), channels >> skipped


class GeM(nn.Module):
    def __init__(self, p=2.7, eps=1e-6):
        super().__init__()
        self.p, self.eps = nn.Parameter(torch.ones(1) * p), eps

    def forward(self, x):
        return F.avg_pool2d(x.clamp(min=self.eps) ** self.p, x.shape[-2:]) ** (1 / self.p)


def unit(x):
    return x / (x.norm(dim=1, keepdim=True) + 1e-6)


class Torchvision(nn.Module):
    """A classifier; its embedding is the mean of the last map."""

    def __init__(self, depth, width, dimension):
        super().__init__()
        parts, channels = children(depth, width)
        for name, part in parts.items():
            self.add_module(name, part)
        self.fc = nn.Linear(channels, 10)

    def features(self, x):
        for name, part in self.named_children():
            x = x if name == "fc" else part(x)
        return x

    def forward(self, x):
        return F.normalize(self.features(x).mean((2, 3)))

    def saved(self):
        return self.state_dict()


class CirTorch(nn.Module):
    """GeM and, where it was trained with one, the whitening layer."""

    scales = "cirtorch"

    def __init__(self, depth, width, dimension):
        super().__init__()
        self.features, channels = sequence(depth, width)
        self.pool, self.whiten = GeM(), nn.Linear(channels, dimension)

    def forward(self, x):
        return unit(self.whiten(unit(self.pool(self.features(x)).flatten(1))))

    def aggregated(self, vectors):
        return unit(torch.stack(vectors).mean(0))

    def saved(self):
        meta = {"architecture": "resnet", "pooling": "gem", "local_whitening": False, "regional": False, "whitening": True,
                "mean": list(MEAN), "std": list(DEVIATION), "outputdim": 2048}
        return {"meta": meta, "state_dict": self.state_dict()}


class WhitenedAfterwards(nn.Module):
    """GeM, and a whitening of one scale and one of several beside the network."""

    scales = "sfm"

    def __init__(self, depth, width, dimension):
        super().__init__()
        if depth == 16:
            parts, channels = [], 3
            for number, stage in zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), strict=True):
                for _ in range(number):
                    parts += [nn.Conv2d(channels, stage, 3, padding=1), nn.ReLU()]
                    channels = stage
                parts.append(nn.MaxPool2d(2, 2))
            self.features = nn.Sequential(*parts[:-1])
        else:
            self.features, channels = sequence(depth, width)
        self.pool = GeM()
        random = np.random.default_rng(3)
        self.fitted = {kind: {"m": random.normal(0, 0.1, (channels, 1)), "P": random.normal(0, 0.1, (channels, channels))}
                       for kind in ("ss", "ms")}

    def pooled(self, x):
        return unit(self.pool(self.features(x)).flatten(1))

    def whitened(self, x, kind):
        mean, projection = (torch.tensor(self.fitted[kind][key]) for key in "mP")
        return unit((projection @ (x.T.double() - mean)).T)

    def forward(self, x):
        return self.whitened(self.pooled(x), "ss")

    one_scale = pooled

    def aggregated(self, vectors):
        p = self.pool.p.item()
        mean = torch.stack([vector ** p for vector in vectors]).mean(0) ** (1 / p)
        return self.whitened(mean / mean.norm(), "ms")

    def saved(self):
        return {"meta": {"architecture": "x", "Lw": {"retrieval-SfM-120k": self.fitted}}, "state_dict": self.state_dict()}


class SecondOrderAttention(nn.Module):
    def __init__(self, channels, reduction):
        super().__init__()
        middle = channels // reduction
        self.f = nn.Sequential(nn.Conv2d(channels, middle, 1), nn.BatchNorm2d(middle), nn.ReLU())
        self.g = nn.Sequential(nn.Conv2d(channels, middle, 1), nn.BatchNorm2d(middle), nn.ReLU())
        self.h, self.v = nn.Conv2d(channels, middle, 1), nn.Conv2d(middle, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        f, g, h = self.f(x).flatten(2), self.g(x).flatten(2), self.h(x).flatten(2)
        weights = torch.softmax(f.shape[1] ** -0.5 * f.transpose(1, 2) @ g, -1)
        return x + self.v((weights @ h.transpose(1, 2)).transpose(1, 2).reshape(x.shape[0], -1, *x.shape[2:]))


class SolarFeatures(nn.Module):
    def __init__(self, depth, width):
        super().__init__()
        parts, channels = children(depth, width)
        parts = list(parts.values())
        self.conv1, self.conv2_x = nn.Sequential(*parts[:2]), nn.Sequential(*parts[2:5])
        self.conv3_x, self.conv4_x, self.conv5_x = parts[5:]
        self.soa4, self.soa5 = SecondOrderAttention(channels // 2, 4), SecondOrderAttention(channels, 2)
        self.channels = channels

    def forward(self, x):
        x = F.relu(self.conv1(x))  # the first of conv2_x is this ReLU once more
        return self.soa5(self.conv5_x(self.soa4(self.conv4_x(self.conv3_x(self.conv2_x(x))))))


class Solar(CirTorch):
    def __init__(self, depth, width, dimension):
        super().__init__(depth, width, dimension)
        self.features = SolarFeatures(depth, width)


class HOW(nn.Module):
    """Of ResNet-50 without the last stage. Scales of small images are left out: the zoo makes none below 32 pixels."""

    scales, least_of_scales = "how", 128

    def __init__(self, depth, width, dimension, new=False):
        super().__init__()
        self.features, channels = sequence(depth, width, int(depth == 50))
        self.reduction = "dim_reduction" if new else "whiten"
        self.add_module(self.reduction, nn.Conv2d(channels, dimension, 1) if new else nn.Linear(channels, dimension))

    def one_scale(self, x):
        features = self.features(x)
        lengths = ((features ** 2).sum(1, keepdim=True) + 1e-10).sqrt()
        smoothed = F.avg_pool2d(features, 3, 1, 1, count_include_pad=False)
        layer = getattr(self, self.reduction)
        weight = layer.weight.flatten(1)
        reduced = torch.einsum("bchw,dc->bdhw", smoothed, weight) + layer.bias[None, :, None, None]
        return (lengths * reduced).sum((2, 3))

    def forward(self, x):
        return unit(self.one_scale(x))

    def aggregated(self, vectors):
        return unit(torch.stack(vectors).sum(0))

    def saved(self):
        key = "net_params" if self.reduction == "dim_reduction" else "meta"
        return {key: {"architecture": "resnet50", "skip_layer": 1}, "state_dict": self.state_dict()}


class NewHOW(HOW):
    def __init__(self, depth, width, dimension):
        super().__init__(depth, width, dimension, new=True)


class PCA:
    """What scikit-learn's class of this name has written into a file."""


PCA.__module__ = "sklearn.decomposition.pca"
for name in ("sklearn", "sklearn.decomposition", "sklearn.decomposition.pca"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["sklearn.decomposition.pca"].PCA = PCA


class Naver(Torchvision):
    """GeM, a linear layer, a PCA beside the network."""

    def __init__(self, depth, width, dimension):
        super().__init__(depth, width, dimension)
        self.fc, self.adpool = nn.Linear(self.fc.in_features, dimension), GeM()
        random = np.random.default_rng(4)
        self.pca = PCA()
        self.pca.mean_, self.pca.whiten = random.normal(0, 0.1, dimension).astype(np.float32), True
        self.pca.components_ = random.normal(0, 0.3, (dimension, dimension)).astype(np.float32)
        self.pca.explained_variance_ = random.uniform(0.01, 1, dimension).astype(np.float32)

    def features(self, x):
        for name, part in self.named_children():
            x = x if name in ("fc", "adpool") else part(x)
        return x

    def forward(self, x):
        x = F.normalize(self.fc(self.adpool(self.features(x)).flatten(1)))
        x = (x - torch.tensor(self.pca.mean_)) @ torch.tensor(self.pca.components_).T
        return F.normalize(x / torch.tensor(self.pca.explained_variance_) ** 0.25)

    def saved(self):
        return {"state_dict": {f"module.{name}": values for name, values in self.state_dict().items()},
                "model_options": {"arch": "resnet50_rmac", "out_dim": 2048, "pooling": "gem", "gemp": 3},
                "pca": {"Landmarks_clean": self.pca}}


class PyclsTransform(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.a, self.a_bn = convolution(inputs, width, 1), nn.BatchNorm2d(width)
        self.b, self.b_bn = convolution(width, width, 3, stride), nn.BatchNorm2d(width)
        self.c, self.c_bn = convolution(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.floor = 0.0

    def forward(self, x):
        x = self.a_bn(self.a(x)).clamp(min=self.floor)
        return self.c_bn(self.c(self.b_bn(self.b(x)).clamp(min=self.floor)))


class PyclsBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        if stride > 1 or inputs != 4 * width:
            self.proj, self.bn = convolution(inputs, 4 * width, 1, stride), nn.BatchNorm2d(4 * width)
        self.f = PyclsTransform(inputs, width, stride)
        self.floor = 0.0

    def forward(self, x):
        return ((self.bn(self.proj(x)) if hasattr(self, "proj") else x) + self.f(x)).clamp(min=self.floor)


class PyclsStem(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv, self.bn = convolution(3, width, 7, 2), nn.BatchNorm2d(width)

    def forward(self, x):
        return F.max_pool2d(F.relu(self.bn(self.conv(x))), 3, 2, 1)


class PyclsHead(nn.Module):
    def __init__(self, channels, dimension):
        super().__init__()
        self.fc, self.pool = nn.Linear(channels, dimension), GeM()


class Pycls(nn.Module):
    def __init__(self, depth, width, dimension):
        super().__init__()
        self.stem, inputs = PyclsStem(width), width
        for stage, number in enumerate(BLOCKS[depth]):
            blocks = collections.OrderedDict()
            for index in range(number):
                blocks[f"b{index + 1}"] = PyclsBlock(inputs, width << stage, 2 if stage and not index else 1)
                inputs = 4 * (width << stage)
            self.add_module(f"s{stage + 1}", nn.Sequential(blocks))
        self.head = PyclsHead(inputs, dimension)

    def features(self, x):
        return self.s4(self.s3(self.s2(self.s1(self.stem(x)))))

    def forward(self, x):
        return self.head.fc(self.head.pool(self.features(x)).flatten(1))


class CVNet(nn.Module):
    """The global part, and beside it some of the re-ranker's tensors."""

    bgr, scales = True, "bytes"

    def __init__(self, depth, width, dimension):
        super().__init__()
        self.encoder_q = Pycls(depth, width, dimension)
        self.conv2ds = nn.ModuleList([nn.Conv2d(4, 2, 3) for _ in range(3)])

    def forward(self, x):
        return F.normalize(self.encoder_q(x))

    def aggregated(self, vectors):
        return F.normalize(torch.stack(vectors).mean(0))

    def saved(self):
        return {"model_state": self.state_dict()}


class SuperGlobal(CVNet):
    """CVNet's file in another network; PyTorch reflects no map of two rows."""

    scales, least, least_of_scales = "superglobal", 65, 128

    def __init__(self, depth, width, dimension):
        super().__init__(depth, width, dimension)
        for stage in (1, 2, 3):
            for block in getattr(self.encoder_q, f"s{stage}"):
                block.floor = 0.014
                if stage == 1:
                    block.f.floor = 0.014

    def forward(self, x):
        x = self.encoder_q.features(x)
        padded = F.pad(x / 25 ** (1 / 2.5), (2, 2, 2, 2), mode="reflect")
        x = 0.5 * F.lp_pool2d(padded, 2.5, 5, 1) + 0.5 * x
        x = x.flatten(2).clamp(1e-8).pow(4.6).mean(2).pow(1 / 4.6)
        return F.normalize(self.encoder_q.head.fc(F.normalize(x)))

    def aggregated(self, vectors):
        return F.normalize(torch.stack(vectors).max(0)[0])


class DELG(CVNet):
    def __init__(self, depth, width, dimension):
        super().__init__(depth, width, dimension)
        self.globalmodel, self.localmodel = self.encoder_q, nn.ModuleDict({"conv1": nn.Conv2d(4, 2, 1)})
        del self.encoder_q, self.conv2ds
        self.desc_cls = nn.Linear(4, 3, bias=False)

    scales = "floats"

    def forward(self, x):
        return F.normalize(self.globalmodel(x))

    def saved(self):
        return {"epoch": 99, "model_state": self.state_dict(), "optimizer_state": {"state": {}}, "cfg": "OUT_DIR: x"}


class L2(nn.Module):
    def forward(self, x):
        return F.normalize(x)


class CosPlace(nn.Module):
    def __init__(self, depth, width, dimension):
        super().__init__()
        self.backbone, channels = sequence(depth, width)
        self.aggregation = nn.Sequential(L2(), GeM(), nn.Flatten(), nn.Linear(channels, dimension), L2())

    def forward(self, x):
        return self.aggregation(self.backbone(x))

    def saved(self):
        return self.state_dict()


KINDS = {kind.__name__: kind for kind in (Torchvision, CirTorch, WhitenedAfterwards, Solar, HOW, NewHOW, Naver, CVNet,
                                          SuperGlobal, DELG, CosPlace)}
NEW_FILES = ("Torchvision", "CosPlace", "CVNet", "DELG")  # written by torch 1.6 or later


def randomize(network):
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.2)
            nn.init.normal_(module.bias, 0, 0.2)
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)


def pixels(image, bgr):
    values = (torch.tensor(image, dtype=torch.float32) / 255 - torch.tensor(MEAN)) / torch.tensor(DEVIATION)
    return (values.flip(-1) if bgr else values).permute(2, 0, 1)[None]


def rescaled(x, factor):
    if factor == 1:
        return x
    size = [int(side * factor) for side in x.shape[-2:]]
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def embed(network, images):
    """Returns the embeddings by the names of the images."""
    found, kind = {}, getattr(network, "scales", None)
    for number in (name for name in images if "/" not in name):
        x = pixels(images[number], getattr(network, "bgr", False))
        if min(x.shape[-2:]) < getattr(network, "least", 1):
            continue
        found[number] = network(x)[0].numpy()
        if min(x.shape[-2:]) < getattr(network, "least_of_scales", 1):
            continue
        one_scale = getattr(network, "one_scale", network)
        if kind in ("bytes", "floats"):
            scaled = [pixels(images[name], True) for name in images if name.startswith(f"{number}/{kind}/")]
            found[f"{number}/scales"] = network.aggregated([one_scale(each) for each in scaled])[0].numpy()
        elif kind:
            vectors = [one_scale(rescaled(x, factor)) for factor in SCALES[kind]]
            found[f"{number}/scales"] = network.aggregated(vectors)[0].numpy()
    return found


def main(folder):
    torch.set_num_threads(1)
    images = dict(np.load(folder / "images.npz"))
    for seed, asked in enumerate(json.loads((folder / "asked.json").read_text())):
        torch.manual_seed(seed)
        network = KINDS[asked["kind"]](asked["depth"], asked["width"], asked["dimension"]).eval()
        randomize(network)
        torch.save(network.saved(), folder / asked["file"],
                   _use_new_zipfile_serialization=asked["kind"] in NEW_FILES)
        with torch.no_grad():
            np.savez(folder / f"{asked['file']}.npz", **embed(network, images))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
