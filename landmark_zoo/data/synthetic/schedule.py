"""Which pictures a collection holds, before any of them is drawn."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from landmark_zoo.data.synthetic.plans import PLANS
from landmark_zoo.data.synthetic.shot import Shot
from landmark_zoo.data.synthetic.size import Size

_WRONG, _CLUTTER, _TWICE, _GRAY, _TURNED, _DATED = 0.03, 0.02, 0.01, 0.03, 0.05, 0.9
_SHOTS_OF_A_STREET = 3


@dataclass(frozen=True)
class Schedule:
    """The pictures of a collection; landmarks are known by the number of their site.

    Attributes:
        plans: The kind of building on each site, a key of `PLANS`; None for a street without a landmark.
        landmark_ids: The number each landmark goes by in the tables; increasing, with gaps.
        train, index, test: Pictures in GLDv2's layout.
        revisited_index, revisited_queries: Pictures in the layout of Revisited Oxford.
    """

    plans: tuple[str | None, ...]
    landmark_ids: tuple[int | None, ...]
    train: tuple[Shot, ...]
    index: tuple[Shot, ...]
    test: tuple[Shot, ...]
    revisited_index: tuple[Shot, ...]
    revisited_queries: tuple[Shot, ...]

    @property
    def shots(self) -> tuple[Shot, ...]:
        """All pictures."""
        return self.train + self.index + self.test + self.revisited_index + self.revisited_queries


def draw_schedule(seed: int, size: Size) -> Schedule:
    """Draws a schedule; equal arguments give equal schedules."""
    rng = np.random.default_rng([seed, 0])
    sites = _Sites(rng)
    train_sites = sites.landmarks(size.train_landmarks)
    benchmark_sites = sites.landmarks(size.benchmark_landmarks)
    revisited_sites = sites.landmarks(max(2, size.benchmark_landmarks // 4))
    train = _train(rng, seed, size, train_sites, sites)
    views = range(size.index_views)
    index = [_shot(seed, "index", site, view, label=site) for site in benchmark_sites for view in views]
    index += [_shot(seed, "index", *place, label=place[0] if sites.plans[place[0]] else None)
              for place in sites.distractors(size.distractors)]
    views = range(size.index_views, size.index_views + size.query_views)
    test = [_shot(seed, "test", site, view, label=site) for site in benchmark_sites for view in views]
    test += [_shot(seed, "test", *place) for place in sites.streets(max(1, len(test) // 8))]
    shots = _varied(rng, train + index + test)
    train, index, test = (shots[:len(train)], shots[len(train):-len(test)], shots[-len(test):])
    train += _twice(rng, seed, train)
    queries, others = _revisited(rng, size, revisited_sites, sites)
    ids = np.sort(rng.choice(np.arange(3, 200_000), sites.named, replace=False)).tolist()
    numbered = iter(ids)
    landmark_ids = tuple(next(numbered) if plan else None for plan in sites.plans)
    return Schedule(tuple(sites.plans), landmark_ids, tuple(sorted(train, key=lambda shot: shot.image_id)),
                    tuple(sorted(index, key=lambda shot: shot.image_id)), tuple(test), tuple(others), tuple(queries))


class _Sites:
    """Hands out sites, so that kinds of buildings come up equally often."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.plans: list[str | None] = []

    @property
    def named(self) -> int:
        return sum(plan is not None for plan in self.plans)

    def landmarks(self, count: int) -> list[int]:
        kinds: list[str] = []
        while len(kinds) < count:
            kinds += self.rng.permutation(list(PLANS)).tolist()
        self.plans += kinds[:count]
        return list(range(len(self.plans) - count, len(self.plans)))

    def streets(self, count: int) -> list[tuple[int, int]]:
        """Returns site and view of pictures without a landmark."""
        first = len(self.plans)
        self.plans += [None] * (-(-count // _SHOTS_OF_A_STREET))
        return [(first + number // _SHOTS_OF_A_STREET, number % _SHOTS_OF_A_STREET) for number in range(count)]

    def distractors(self, count: int) -> list[tuple[int, int]]:
        """Returns site and view of pictures of streets and, two in five, of other buildings, two of each."""
        other = count * 2 // 5
        return self.streets(count - other) + [(site, view) for site in self.landmarks(-(-other // 2))
                                              for view in range(2)][:other]


def _train(rng: np.random.Generator, seed: int, size: Size, landmarks: list[int], sites: _Sites) -> list[Shot]:
    counts = _class_sizes(rng, size.train_landmarks, size.train_landmarks * size.train_views)
    shots = [_shot(seed, "train", site, view, label=site)
             for site, count in zip(landmarks, counts, strict=True) for view in range(count)]
    plenty = [number for number, shot in enumerate(shots) if counts[landmarks.index(shot.label)] > 2]
    wrong = _some(rng, plenty, _WRONG * len(shots)) if len(landmarks) > 1 else []
    cluttered = _some(rng, sorted(set(plenty) - set(wrong)), _CLUTTER * len(shots))
    for number in wrong:
        other = int(rng.choice([site for site in landmarks if site != shots[number].label]))
        shots[number] = _shot(seed, "train", other, 10_000 + number, label=shots[number].label)
    for number, (site, view) in zip(cluttered, sites.streets(len(cluttered)), strict=True):
        shots[number] = _shot(seed, "train", site, view, label=shots[number].label)
    return shots


def _class_sizes(rng: np.random.Generator, classes: int, total: int) -> list[int]:
    """Returns sizes with a long tail that sum up to `total`; where there are many, some are 1."""
    weights = rng.lognormal(0, 0.6, classes)
    single = rng.permutation(classes)[:classes // 25] if classes < total else []
    weights[single] = 0
    counts = 1 + np.floor(weights / weights.sum() * (total - classes)).astype(int)
    for number in np.argsort(-weights)[np.arange(total - counts.sum()) % classes]:
        counts[number] += 1
    return counts.tolist()


def _varied(rng: np.random.Generator, shots: list[Shot]) -> list[Shot]:
    everything = list(range(len(shots)))
    gray, turned = (set(_some(rng, everything, share * len(shots))) for share in (_GRAY, _TURNED))
    return [replace(shot, quality=int(rng.integers(62, 96)), gray=number in gray, dated=bool(rng.random() < _DATED),
                    orientation=int(rng.integers(2, 9)) if number in turned else 1)
            for number, shot in enumerate(shots)]


def _twice(rng: np.random.Generator, seed: int, train: list[Shot]) -> list[Shot]:
    """Returns second copies of some pictures, byte for byte or compressed anew."""
    return [replace(train[number], path=_path(seed, "train", f"copy of {train[number].path}"),
                    quality=train[number].quality if rng.random() < 0.5 else int(rng.integers(40, 62)))
            for number in _some(rng, list(range(len(train))), _TWICE * len(train))]


def _revisited(rng: np.random.Generator, size: Size, landmarks: list[int],
               sites: _Sites) -> tuple[list[Shot], list[Shot]]:
    kinds = ("easy", "hard", "easy", "any", "hard", "junk")
    queries = [Shot(f"revisited/jpg/{sites.plans[site]}_{site:04d}_{view:06d}.jpg", site, view, "easy", site)
               for site in landmarks for view in range(3)]
    others = [Shot(f"revisited/jpg/{sites.plans[site]}_{site:04d}_{view:06d}.jpg", site, view,
                   kinds[view % len(kinds)], site)
              for site in landmarks for view in range(3, 3 + 2 * size.index_views)]
    others += [Shot(f"revisited/jpg/street_{site:04d}_{view:06d}.jpg", site, view)
               for site, view in sites.streets(size.distractors // 3)]
    return queries, [others[number] for number in rng.permutation(len(others))]


def _shot(seed: int, split: str, site: int, view: int, label: int | None = None) -> Shot:
    return Shot(_path(seed, split, f"{site} {view} {label}"), site, view, label=label)


def _path(seed: int, split: str, what: str) -> str:
    name = hashlib.sha256(f"{seed} {split} {what}".encode()).hexdigest()[:16]
    return f"{split}/{name[0]}/{name[1]}/{name[2]}/{name}.jpg"


def _some(rng: np.random.Generator, numbers: list[int], count: float) -> list[int]:
    """Returns about `count` of the numbers, at least one where there are any."""
    count = min(max(1, round(count)), len(numbers))
    return sorted(rng.choice(numbers, count, replace=False).tolist()) if count else []
