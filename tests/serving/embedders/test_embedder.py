import pytest

from landmark_zoo.serving.embedders.embedder import Embedder


def test_one_that_says_nothing_of_itself_cannot_be_made():
    class Silent(Embedder):
        def __call__(self, images):
            return images
    with pytest.raises(TypeError, match="facts"):
        Silent()
