"""Some photographs of a folder."""

import pytest

from export.options.sample_pictures import sample_pictures
from landmark_zoo.core.errors import UserError


def test_bad_ones_are_left_out_and_the_rest_spread(photo_folder, tmp_path):
    everything = sample_pictures(photo_folder, 100)
    assert len(everything) == 6
    some = sample_pictures(photo_folder, 3)
    assert len(some) == 3
    assert some == [everything[0], everything[2], everything[4]]
    with pytest.raises(UserError, match="pictures"):
        sample_pictures(tmp_path, 3)
