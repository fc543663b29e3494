"""One photograph to one embedding."""

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel


def embed_photograph(model: EmbeddingModel, picture: Picture) -> np.ndarray:
    """Returns the embedding of a picture that the user named: float32 [1, D].

    Raises:
        UserError: A bad photograph or a wrong box.
    """
    try:
        return model.embed_bytes([model_input(picture)])
    except BadPhotograph as error:
        raise UserError(f"a photograph at {picture.path}", error.reason, "Name another picture.") from error
