"""Table of published checkpoints: each file with its network, test protocol, published score and license.

Facts are the authors' own: from their code, their READMEs, or the paper where `source` says so. Nobody here has run these
files: what was checked is that networks of the same form with random weights give the authors' embeddings.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping

from landmark_zoo.core.registry import Registry


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A file that its authors serve, and the network in it.

    Attributes:
        name: `<project>/<network>`, as `create_model` takes it.
        project: A name of `name_maps.NAME_MAPS`, whose rules read the file.
        backbone: A name of `BACKBONES`.
        file: Name of the file, as the authors give it; None where they give none.
        address: Address of the file or, where the authors serve it from a drive, how to find it there.
        network: "backbone", or the kind of network around it, see `build.create_published`.
        arguments: Arguments of that network's builder.
        protocol: Test protocol, a name of `data.protocol.PUBLISHED`; None for a backbone.
        score: Score that the authors publish, in words; "" where there is none.
        source: Where score and address were read.
        license: License of the authors' code.
        weights_license: License of the weights, where it is another or none is stated.
        restricted: Whether these allow less than MIT, BSD and Apache do: no commercial use, only works under the same
            license (GPL), or nothing where none is stated.
        sha256: SHA-256 of the file, or its first digits, which some authors write into the name; None where not known.
    """

    name: str
    project: str
    backbone: str
    file: str | None
    address: str
    network: str = "backbone"
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    protocol: str | None = None
    score: str = ""
    source: str = ""
    license: str = "MIT"
    weights_license: str = "not stated apart from the code's"
    restricted: bool = False
    sha256: str | None = None

    @property
    def is_served(self) -> bool:
        """Whether the address is that of the file itself; drives show a page before it."""
        return self.file is not None and self.address.endswith((".pth", ".pt", ".pyth", ".safetensors", ".ckpt"))

    def published_map(self, benchmark: str) -> dict[str, float]:
        """Returns the published mean average precision on a revisited benchmark, in per cent, by metric.

        Args:
            benchmark: Name of the ground truth; "roxford5k" and "rparis6k" have one.

        Example:
            >>> CHECKPOINTS["cirtorch/gl18-resnet101-gem-w"].published_map("rparis6k")
            {'mAP/Medium': 80.6, 'mAP/Hard': 61.5}
        """
        place = {"roxford5k": 1, "rparis6k": 2}.get(benchmark)
        found = re.finditer(r"(medium|hard) ([\d.]+) / ([\d.]+)", self.score) if place else ()
        return {f"mAP/{match[1].capitalize()}": float(match[place + 1]) for match in found}

    @property
    def about(self) -> str:
        """Score and its source in one line."""
        return "; ".join(filter(None, (self.score, self.source)))

    @property
    def license_words(self) -> str:
        """Licenses in one line."""
        return f"code: {self.license}; weights: {self.weights_license}"


CHECKPOINTS: Registry[Checkpoint] = Registry("published checkpoint")

_CMP = "http://cmp.felk.cvut.cz/cnnimageretrieval/data/networks"
_DRIVE = "https://drive.google.com/file/d/{}/view"
_GLOBAL_2048 = {"embedding_dim": 2048}


def _revisited(medium: tuple[float, float], hard: tuple[float, float] | None = None) -> str:
    """Returns a score in words, of revisited Oxford and Paris."""
    words = f"mAP of revisited Oxford / Paris: medium {medium[0]} / {medium[1]}"
    return f"{words}, hard {hard[0]} / {hard[1]}" if hard else words


def _cirtorch() -> Iterator[Checkpoint]:
    source = "README of github.com/filipradenovic/cnnimageretrieval-pytorch"
    for training, depth, digits, medium, hard in (
            ("rSfM120k", 50, "97bf910", (64.7, 76.3), (39.0, 54.9)),
            ("rSfM120k", 101, "a155e54", (67.8, 77.6), (41.7, 56.3)),
            ("rSfM120k", 152, "f39cada", (68.8, 78.0), (41.3, 57.2)),
            ("gl18", 50, "83fdc30", (63.6, 78.0), (40.9, 57.5)),
            ("gl18", 101, "a4d43db", (67.3, 80.6), (44.3, 61.5)),
            ("gl18", 152, "21278d5", (68.7, 79.7), (44.2, 60.3))):
        file = f"{training}-tl-resnet{depth}-gem-w-{digits}.pth"
        folder = "gl18" if training == "gl18" else "retrieval-SfM-120k"
        yield Checkpoint(f"cirtorch/{training.lower()}-resnet{depth}-gem-w", "cirtorch", f"resnet{depth}v15", file,
                         f"{_CMP}/{folder}/{file}", "global", _GLOBAL_2048, "cirtorch", _revisited(medium, hard), source)
    for backbone, row, dimension, digits, medium, hard in (
            ("resnet101", "resnet101v15", 2048, "b80fb85", (65.4, 76.7), (40.1, 55.2)),
            ("vgg16", "vgg16torch", 512, "b4dcdc6", (60.9, 69.3), (32.9, 44.2))):
        file = f"retrievalSfM120k-{backbone}-gem-{digits}.pth"
        yield Checkpoint(f"cirtorch/retrievalsfm120k-{backbone}-gem", "cirtorch_sfm", row, file,
                         f"{_CMP}/retrieval-SfM-120k/{file}", "global", {"embedding_dim": dimension}, "cirtorch_sfm",
                         _revisited(medium, hard), source)
    for backbone, row, digits in (("vgg16", "vgg16torch", "d369c8e"), ("resnet50", "resnet50v15", "ac468af"),
                                  ("resnet101", "resnet101v15", "10a101d"), ("resnet152", "resnet152v15", "1011020")):
        file = f"imagenet-caffe-{backbone}-features-{digits}.pth"
        yield Checkpoint(f"cirtorch/imagenet-caffe-{backbone}", "features", row, file, f"{_CMP}/imagenet/{file}",
                         source=source)


def _solar_and_how() -> Iterator[Checkpoint]:
    yield Checkpoint(
        "solar/gl18-resnet101", "solar", "resnet101v15", "resnet101-solar-best.pth",
        "https://imperialcollegelondon.box.com/shared/static/fznpeayct6btel2og2wjjgvqw0ziqnk4.pth", "solar", _GLOBAL_2048,
        "solar", _revisited((69.9, 81.57), (47.91, 64.45)), "README of github.com/tonyngjichun/SOLAR")
    how = "README of github.com/gtolias/how; by ASMK of local features"
    folder = "http://ptak.felk.cvut.cz/personal/toliageo/share/how/models/"
    for name, backbone, file, score in (("r18", "resnet18", "how_r18.pth", (75.1, 79.4)),
                                        ("r50-", "resnet50v15", "how_r50-.pth", (79.4, 81.6))):
        yield Checkpoint(f"how/{name}", "how", backbone, file, folder + file, "how", {"embedding_dim": 128}, "how",
                         _revisited(score), how)


def _naver() -> Iterator[Checkpoint]:
    for name, depth, pooling, drive, medium, hard in (
            ("Resnet50-AP-GeM", 50, "gem", "1oPtE_go9tnsiDLkWjN4NMpKjh-_md1G5", (65.5, 77.6), (41.0, 57.1)),
            ("Resnet101-AP-GeM", 101, "gem", "1UWJGDuHtzaQdFhSMojoYVQjmCXhIwVvy", (67.1, 80.3), (42.3, 60.9)),
            ("Resnet101-AP-GeM-LM18", 101, "gem", "1r76NLHtJsH-Ybfda4aLkUIoW3EEsi25I", (66.3, 80.2), (42.5, 60.8)),
            ("Resnet101-TL-GeM", 101, "gem", "1vhm1GYvn8T3-1C4SPjPNJOuTU9UxKAG6", (64.5, 78.8), (40.9, 59.2)),
            ("Resnet101-TL-MAC", 101, "mac", "13MUGNwn_CYGZvqDBD8FGD8fVYxThsSDg", (63.3, 76.6), (35.7, 55.5))):
        yield Checkpoint(f"naver/{name.lower()}", "naver", f"resnet{depth}v15", f"{name}.pt", _DRIVE.format(drive), "global",
                         {**_GLOBAL_2048, "pooling": pooling, "projection": "linear", "whitening": True}, "naver",
                         _revisited(medium, hard), "README of github.com/naver/deep-image-retrieval", "BSD-3-Clause")


def _pycls() -> Iterator[Checkpoint]:
    folder = "https://drive.google.com/drive/folders/1gMbZ8JlTyPlH2-6HW5NHRe58LmKfJybx"
    linear = {**_GLOBAL_2048, "projection": "linear"}
    none = "none stated"
    for depth, score, refined in ((50, "", ""), (101, _revisited((80.2, 90.3), (63.1, 79.1)),
                                                 _revisited((85.3, 92.1), (72.1, 83.5)))):
        file, backbone = f"CVPR2022_CVNet_R{depth}.pyth", f"resnet{depth}v15bgr"
        yield Checkpoint(f"cvnet/resnet{depth}", "cvnet", backbone, file, folder, "global", linear, "cvnet", score,
                         "paper (Lee et al., CVPR 2022), without re-ranking; github.com/sungonce/CVNet", none, none, True)
        yield Checkpoint(f"superglobal/resnet{depth}", "superglobal", backbone, file, folder, "global",
                         {**_GLOBAL_2048, "pooling": "regional_gem", "floors": True}, "superglobal", refined,
                         "paper (Shao et al., ICCV 2023), without re-ranking; github.com/ShihaoShao-GH/SuperGlobal",
                         weights_license="none stated (CVNet's file)", restricted=True)
    for depth, share, score in (
            (50, "1rbB1ZItdMsyCiU5YrUbkCA", "mAP of revisited Oxford, queries as whole images: medium 78.51, hard 56.9"),
            (101, "1cahOcy9hx23RqHgBcKp1uQ", "")):
        yield Checkpoint(f"delg-pytorch/resnet{depth}", "delg", f"resnet{depth}v15bgr", None,
                         f"https://pan.baidu.com/s/{share}", "global", {**linear, "embedding_dim": 512}, "delg_pytorch",
                         score, "README of github.com/feymanpriv/DELG, trained at 512 pixels", none, none, True)


def _places() -> Iterator[Checkpoint]:
    small, large = (32, 64, 128, 256, 512), (32, 64, 128, 256, 512, 1024, 2048)
    for project, dimensions in (("CosPlace", {18: small, 50: large, 101: large, 152: large}),
                                ("EigenPlaces", {18: (256, 512), 50: large[2:], 101: large[2:]})):
        for depth, sizes in dimensions.items():
            for size in sizes:
                file = f"ResNet{depth}_{size}_{project.lower()}.pth"
                backbone = "resnet18" if depth == 18 else f"resnet{depth}v15"
                yield Checkpoint(
                    f"{project.lower()}/resnet{depth}-{size}", "cosplace", backbone, file,
                    f"https://github.com/gmberton/{project}/releases/download/v1.0/{file}", "global",
                    {"embedding_dim": size, "projection": "linear", "unit_features": True}, "naver",
                    source=f"hubconf.py of github.com/gmberton/{project}; for places, images as they are")


def _imagenet() -> Iterator[Checkpoint]:
    for name, backbone, file, accuracy in (
            ("resnet18", "resnet18", "resnet18-f37072fd", 69.758), ("resnet34", "resnet34", "resnet34-b627a593", 73.314),
            ("resnet50", "resnet50v15", "resnet50-0676ba61", 76.130),
            ("resnet50-v2", "resnet50v15", "resnet50-11ad3fa6", 80.858),
            ("resnet101", "resnet101v15", "resnet101-63fe2227", 77.374),
            ("resnet101-v2", "resnet101v15", "resnet101-cd907fc2", 81.886),
            ("resnet152", "resnet152v15", "resnet152-394f9c45", 78.312),
            ("resnet152-v2", "resnet152v15", "resnet152-f82ba261", 82.284),
            ("vgg16", "vgg16torch", "vgg16-397923af", 71.592)):
        yield Checkpoint(f"torchvision/{name}", "torchvision", backbone, f"{file}.pth",
                         f"https://download.pytorch.org/models/{file}.pth", score=f"top-1 accuracy on ImageNet {accuracy} %",
                         source="docs of torchvision", license="BSD-3-Clause", sha256=file.rpartition("-")[2])
    for depth, recipe, backbone, digits in (
            (18, "a1", "resnet18", "d63eafa0"), (50, "a1", "resnet50v15", "14fe96d1"),
            (101, "a1", "resnet101v15", "cdcb52a9"), (101, "a1h", "resnet101v15", "36d3f2aa"),
            (152, "a1", "resnet152v15", "2eee8a7a")):
        file = f"resnet{depth}_{recipe}{'' if recipe == 'a1h' else '_0'}-{digits}.pth"
        yield Checkpoint(
            f"timm/resnet{depth}.{recipe}_in1k", "timm", backbone, file,
            f"https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/{file}",
            source="github.com/huggingface/pytorch-image-models", license="Apache-2.0", sha256=digits)


def _transformers() -> Iterator[Checkpoint]:
    for letter, parameters, scores in (("s", "21 M", ("79.0", "79.1")), ("b", "86 M", ("82.1", "82.0"))):
        for suffix, backbone, score in (("", f"dinov2{letter}14", scores[0]), ("_reg4", f"dinov2{letter}14reg", scores[1])):
            file, name = f"dinov2_vit{letter}14{suffix}_pretrain.pth", f"dinov2_vit{letter}14"
            yield Checkpoint(f"dinov2/vit{letter}14{suffix.replace('_', '-')}", "dinov2", backbone, file,
                             f"https://dl.fbaipublicfiles.com/dinov2/{name}/{file}",
                             score=f"top-1 accuracy on ImageNet by nearest neighbors {score} % ({parameters} parameters)",
                             source="README of github.com/facebookresearch/dinov2", license="Apache-2.0",
                             weights_license="Apache-2.0")
    salad = {"pooling": "salad", "pooling_arguments": {"cluster_dim": 256}, "embedding_dim": 8448}
    yield Checkpoint("megaloc/dinov2b14", "megaloc", "dinov2b14", "model.safetensors",
                     "https://huggingface.co/gberton/MegaLoc/resolve/main/model.safetensors", "composed", salad, "naver",
                     source="hubconf.py of github.com/gmberton/MegaLoc; its authors test at 322 x 322 pixels")
    address = "https://github.com/serizba/salad/releases/download/v1.0.0/dino_salad.ckpt"
    yield Checkpoint("salad/dinov2b14", "salad", "dinov2b14", "dino_salad.ckpt", address, "composed", {"pooling": "salad"},
                     "naver", "R@1 of MSLS val 92.2, of Nordland 76.0",
                     "README of github.com/serizba/salad; its authors test at 322 x 322 pixels", "GPL-3.0", restricted=True)


def _attention() -> Iterator[Checkpoint]:
    accuracy = "top-1 accuracy on ImageNet {} %"

    def row(name: str, project: str, depth: int, file: str | None, address: str, arguments: dict, score: str, **facts: str):
        return Checkpoint(name, project, f"resnet{depth}v15", file, address, "composed",
                          {"placement": "blocks", **arguments}, score=score and accuracy.format(score), **facts)

    yield row("cbam/resnet50", "cbam", 50, None, _DRIVE.format("1mvAVvhLR_2XY_bPYxh-SEz4vDmGzSArO"), {"attention": "cbam"},
              "77.622", source="README of github.com/Jongchan/attention-module")
    file = "seresnet50-60a8950a85b2b.pkl"
    yield row("senet/resnet50", "senet", 50, file, f"https://github.com/moskomule/senet.pytorch/releases/download/archive/{file}",
              {"attention": "se", "attention_arguments": {"use_bias": False}}, "77.06",
              source="README of github.com/moskomule/senet.pytorch")
    file = "seresnet50_a1_0-ffa00869.pth"
    yield row("timm/seresnet50.a1_in1k", "timm_se", 50, file,
              f"https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/{file}",
              {"attention": "se"}, "", source="github.com/huggingface/pytorch-image-models", license="Apache-2.0",
              sha256="ffa00869")
    for depth, kernels, drive, score in (
            (50, "3557", "1670rce333c_lyMWFzBlNZoVUvtxbCF_U", "77.42"),
            (101, "3357", "1b5FQ8yDFnZ_UhvWT9txmjI_LjbKkgnvC", "78.65"),
            (152, "3357", "1_bYnaOg9ptsILC_iC7uQ5Izv-u2rjYG5", "78.92")):
        sizes = tuple(zip((256, 512, 1024, 2048), map(int, kernels), strict=True))
        yield row(f"ecanet/resnet{depth}", "ecanet", depth, None, _DRIVE.format(drive),
                  {"attention": "eca", "attention_arguments": {"kernel_size": sizes}}, score,
                  source="README of github.com/BangguWu/ECANet")


for _rows in (_cirtorch, _solar_and_how, _naver, _pycls, _places, _imagenet, _transformers, _attention):
    for _row in _rows():
        CHECKPOINTS.add(_row.name, _row)
