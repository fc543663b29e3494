"""Builders for tensorflow-datasets; importing `builders` registers them."""

from landmark_zoo.core.errors import UserError

try:
    import apache_beam  # noqa: F401
    import tensorflow_datasets  # noqa: F401
except ImportError as error:
    raise UserError("tensorflow-datasets and apache-beam", str(error),
                    "Install them: pip install -c constraints.txt -e '.[beam]'") from error
