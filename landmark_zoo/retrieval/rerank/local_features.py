"""Local features of an exported model: the locations of its feature map that its attention likes best.

DELF (Noh et al., ICCV 2017), DELG (Cao et al., ECCV 2020) and HOW (Tolias et al., ECCV 2020) are models whose signature
`local` gives what they were trained to give; any other model gives its feature map and the lengths of its features.
"""

import numpy as np

from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.retrieval.rerank.keypoints import Keypoints
from landmark_zoo.retrieval.saved_model import EmbeddingModel


class LocalFeatures:
    """Finds local features at several scales and keeps the best.

    Points are the centres of the cells that a feature map divides the photograph into, which is where its receptive fields
    are centred, up to half a stride of the first layers.

    Args:
        model: An exported model with the signature `local`.
        side: Pixels of the longer side at scale 1.
        count: Most features of a photograph; DELG and HOW take 1000.
        scales: What `side` is multiplied by. DELG takes 0.25 to 2 in steps of sqrt(2).
        radius: Pixels of the photograph round a point within which no second one of less attention is kept, whatever its
            scale.

    Raises:
        UserError: A model without that signature.
    """

    def __init__(self, model: EmbeddingModel, side: int = 512, count: int = 1000, scales: tuple[float, ...] = (1.0,),
                 radius: float = 4.0):
        model.check_local()
        self.model, self.side, self.count, self.scales, self.radius = model, side, count, scales, radius
        self.kind = model.fingerprint

    def __call__(self, photograph: np.ndarray) -> Keypoints:
        """Returns at most `count` features of a photograph uint8 RGB [H, W, 3], by falling attention."""
        height, width = photograph.shape[:2]
        found = [self._at(photograph, round(scale * self.side)) for scale in self.scales]
        points, vectors, scores = map(np.concatenate, zip(*found, strict=True))
        points *= np.array([width, height], np.float32)
        kept = strongest(points, scores, self.count, self.radius)
        return Keypoints(points[kept], vectors[kept])

    def _at(self, photograph: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns points as parts of width and height, vectors, scores."""
        features, scores = self.model.local(resize_long_side(photograph, side).numpy()[np.newaxis])
        rows, columns, channels = features.shape[1:]
        y, x = np.mgrid[:rows, :columns]
        points = np.stack([(x + 0.5) / columns, (y + 0.5) / rows], axis=-1).reshape(-1, 2).astype(np.float32)
        return points, features.reshape(-1, channels), scores.ravel()


def strongest(points: np.ndarray, scores: np.ndarray, count: int, radius: float) -> np.ndarray:
    """Returns the row numbers of the best-scored points, best first, none within `radius` of a better one.

    Args:
        points: [N, 2].
        scores: [N]; of equal ones the first is better.
        count: Most that are kept.
        radius: In the unit of the points; at 0 only equal points exclude each other.
    """
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    while len(left) and len(kept) < count:
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[np.linalg.norm(points[left] - points[best], axis=1) > radius]
    return np.array(kept, np.int64)
