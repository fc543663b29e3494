"""Writes one page on a run and its results: python -m experiments.report --output=DIR --results=DIR,DIR ..."""

from absl import flags

from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.report.report import write_report

_OUTPUT = define_output("output", None, "Folder for index.html.", required=True)
_RESULTS = flags.DEFINE_list("results", None, "Folders of experiments.evaluate, from the first system to the last.",
                             required=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the training run: curves, model, flags.")
_RECORDS = flags.DEFINE_string("records", None, "Folder of experiments.prepare: images per landmark.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the benchmark's images: rankings.")
_ATTENTION = flags.DEFINE_string("attention", None, "Folder with overlays.json and attention maps.")
_TITLE = flags.DEFINE_string("title", None, "Title of the page; unset for model and benchmark.")
_UNSEEN = flags.DEFINE_boolean("unseen_landmarks", False, "Say that no landmark of the benchmark was trained on.")


def main(_):
    """Writes the page and prints where it is."""
    find_image = ImageLocator(_PHOTOS.value).locate if _PHOTOS.value else None
    print(write_report(_OUTPUT.value, _RESULTS.value, workdir=_WORKDIR.value, records=_RECORDS.value,
                       find_image=find_image, attention=_ATTENTION.value, title=_TITLE.value,
                       unseen=_UNSEEN.value))


if __name__ == "__main__":
    run(main)
