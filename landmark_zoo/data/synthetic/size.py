"""How large a collection is."""

from dataclasses import dataclass, fields

_LEAST = {"train_landmarks": 1, "train_views": 1, "benchmark_landmarks": 1, "index_views": 1, "query_views": 1,
          "distractors": 0, "long_side": 64}


@dataclass(frozen=True)
class Size:
    """The sizes of a collection.

    Attributes:
        train_landmarks: Landmarks to train on.
        train_views: Mean number of pictures of one of them.
        benchmark_landmarks: Landmarks of the benchmark.
        index_views, query_views: Index images and queries per landmark of the benchmark.
        distractors: Index images that show another building or just a street.
        long_side: Greater side of a picture, pixels; the smaller one may be 9/16 of it.

    Raises:
        ValueError: A number is too small.
    """

    train_landmarks: int = 80
    train_views: int = 24
    benchmark_landmarks: int = 16
    index_views: int = 12
    query_views: int = 4
    distractors: int = 150
    long_side: int = 256

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if value < _LEAST[field.name]:
                raise ValueError(f"expected {field.name} of at least {_LEAST[field.name]}, received {value}")
