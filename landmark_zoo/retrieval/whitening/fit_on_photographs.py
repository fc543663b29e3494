"""A PCA whitening fitted on photographs by the model that it will stand behind."""

from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.retrieval.whitening.pca_whitening import PcaWhitening


def fit_on_photographs(saved_model: str | Path, pictures: Sequence[Picture], dimension: int, power: float,
                       folder: str | Path) -> PcaWhitening:
    """Embeds photographs and fits a PCA to them; bad photographs are left out.

    Args:
        saved_model: The exported model, without the whitening.
        pictures: Neither queries nor index images of a benchmark.
        dimension: D', the dimensions that remain.
        power: From 0 to 0.5; see `PcaWhitening`.
        folder: For the embeddings.

    Raises:
        UserError: No usable photograph, or fewer directions in their embeddings than asked for.
    """
    whitening = PcaWhitening(dimension, power)
    return whitening.fit(embed(EmbeddingModel(saved_model), pictures, folder))
