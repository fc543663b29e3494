import re

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.sources.sources import SOURCES


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_well_formed(name):
    source = SOURCES[name](name)
    assert source.name == name
    paths = [file.path for file in source.files]
    assert len(set(paths)) == len(paths)
    assert len({file.url for file in source.files}) == len(paths)
    for file in source.files:
        assert file.about_bytes > 0
        assert re.fullmatch(r"https?://[\w.]+/[\w./~-]+", file.url)


def test_unknown_ones():
    with pytest.raises(UserError, match="gldv2"):
        SOURCES["gldv3"]
