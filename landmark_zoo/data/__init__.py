"""Data: image lists and downloads, TFRecord folders, and tf.data pipelines.

The names below are imported on first use, so that `import landmark_zoo.data` needs no TensorFlow.

Example:
    >>> from landmark_zoo import data
    >>> label_map = data.LabelMap(["petra", "taj_mahal"])
    >>> label_map.label("petra")
    0
"""

from landmark_zoo.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "ImageEntry": "landmark_zoo.data.datasets.image_list",
    "ImageList": "landmark_zoo.data.datasets.image_list",
    "ImageLocator": "landmark_zoo.data.datasets.image_refs",
    "ImageRef": "landmark_zoo.data.datasets.image_refs",
    "LabelMap": "landmark_zoo.data.manifest",
    "Manifest": "landmark_zoo.data.manifest",
    "datasets": "landmark_zoo.data.datasets",
    "evaluation_dataset": "landmark_zoo.data.input_pipeline",
    "read_image": "landmark_zoo.data.datasets.images",
    "read_images": "landmark_zoo.data.datasets.registry",
    "read_manifest": "landmark_zoo.data.manifest",
    "train_dataset": "landmark_zoo.data.input_pipeline",
    "verify_records": "landmark_zoo.data.verify",
    "write_records": "landmark_zoo.data.writer",
})
