"""All public collections by name."""

from collections.abc import Callable

from landmark_zoo.core.registry import Registry
from landmark_zoo.data.sources.gldv1 import gldv1
from landmark_zoo.data.sources.gldv2 import gldv2, gldv2_benchmark
from landmark_zoo.data.sources.oxford5k import oxford5k
from landmark_zoo.data.sources.paris6k import paris6k
from landmark_zoo.data.sources.revisited import revisited
from landmark_zoo.data.sources.revisitop1m import revisitop1m
from landmark_zoo.data.sources.sfm120k import sfm120k
from landmark_zoo.data.sources.source import Source

SOURCES: Registry[Callable[[str], Source]] = Registry("source")
"""Name to a function that takes the name and returns the collection."""

SOURCES.add("gldv2_clean", gldv2)
SOURCES.add("gldv2", gldv2)
SOURCES.add("gldv2_benchmark", gldv2_benchmark)
SOURCES.add("gldv1", gldv1)
SOURCES.add("oxford5k", oxford5k)
SOURCES.add("paris6k", paris6k)
SOURCES.add("roxford5k", revisited)
SOURCES.add("rparis6k", revisited)
SOURCES.add("revisitop1m", revisitop1m)
SOURCES.add("sfm120k", sfm120k)
