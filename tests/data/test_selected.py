import numpy as np

from landmark_zoo.data.pipeline import evaluation_dataset
from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.selected import selected_dataset


def test_equals_the_evaluation_at_the_chosen_places(records):
    manifest = records({"a": 4, "b": 5})
    every = [(image.numpy(), int(label)) for images, labels in evaluation_dataset(manifest, image_size=40, batch_size=9)
             for image, label in zip(images, labels, strict=True)]
    numbers = [8, 0, 3, 3, 7]
    found = list(selected_dataset(manifest, read_record_index(manifest), numbers, image_size=40, batch_size=2))
    assert [len(labels) for _, labels in found] == [2, 2, 1]
    for number, image in zip(numbers, np.concatenate([images for images, _ in found]), strict=True):
        np.testing.assert_array_equal(image, every[number][0])
    assert [label for _, labels in found for label in labels.numpy()] == [every[number][1] for number in numbers]
