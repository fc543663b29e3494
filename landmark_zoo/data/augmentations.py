"""The named ranges of random views."""

from landmark_zoo.core.registry import Registry
from landmark_zoo.data.augment import Augmentation

_PLAIN = {"flip": False, "brightness": 0.0, "contrast": 0.0}

AUGMENTATIONS: Registry[Augmentation] = Registry("augmentation")
AUGMENTATIONS.add("default", Augmentation())
AUGMENTATIONS.add("none", Augmentation(area=(1, 1), **_PLAIN))
AUGMENTATIONS.add("recognition", Augmentation(**_PLAIN | {
    "oversize": 256 / 224, "flip": True, "illumination": 0.25, "rotation": 45}))
AUGMENTATIONS.add("delg", Augmentation(area=(0.08, 1), aspect=(3 / 4, 4 / 3), **_PLAIN))
AUGMENTATIONS.add("glam", Augmentation(**_PLAIN | {"area": (1, 1), "brightness": 0.1, "zoom": 0.2}))
"""By name:

* default: for a few thousand photographs.
* none: the whole picture, stretched.
* recognition: the landmark recognition study on 27 landmarks of GLDv1; at 224 pixels its crops come from 256. Its
  notebook cuts out 8 to 100 % of the area instead, its report says "random crop 224".
* delg: Cao, Araujo, Sim, ECCV 2020, tensorflow/models `delf/python/datasets/googlelandmarks`. (Its least object of 0.1
  also refuses the few areas from 0.08 to 0.1.)
* glam: Song, Han, Avrithis, WACV 2022, after Yokoo et al., Landmark2019-1st-and-3rd-Place-Solution: made for
  rectangles, as `plans.aspect_plan` gives them.
"""
