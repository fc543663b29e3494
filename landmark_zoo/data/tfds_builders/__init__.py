"""Data sets for people who use tensorflow-datasets; importing this package registers them.

    import tensorflow_datasets as tfds
    import landmark_zoo.data.tfds_builders
    train = tfds.load("gldv2/clean", split="train", data_dir="records")

`experiments.build_tfds` builds them, README.md says how on more than one machine.
"""

from landmark_zoo.core.errors import UserError

try:
    import apache_beam  # noqa: F401
    import tensorflow_datasets  # noqa: F401
except ImportError as error:
    raise UserError("tensorflow-datasets and apache-beam", str(error),
                    "Install them: pip install -c constraints.txt -e '.[beam]'") from error

from landmark_zoo.data.tfds_builders.gldv1 import Gldv1
from landmark_zoo.data.tfds_builders.gldv2 import Gldv2
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder
from landmark_zoo.data.tfds_builders.landmark_folder import LandmarkFolder
from landmark_zoo.data.tfds_builders.oxford5k import Oxford5k
from landmark_zoo.data.tfds_builders.paris6k import Paris6k
from landmark_zoo.data.tfds_builders.revisitop1m import Revisitop1m
from landmark_zoo.data.tfds_builders.roxford5k import Roxford5k
from landmark_zoo.data.tfds_builders.rparis6k import Rparis6k
from landmark_zoo.data.tfds_builders.sfm120k import Sfm120k
from landmark_zoo.data.tfds_builders.synthetic import Synthetic

BUILDERS: dict[str, type[LandmarkBuilder]] = {
    builder.name: builder for builder in (Gldv2, Gldv1, Oxford5k, Paris6k, Roxford5k, Rparis6k, Revisitop1m, Sfm120k,
                                          LandmarkFolder, Synthetic)}
