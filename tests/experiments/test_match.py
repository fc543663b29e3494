"""`python -m experiments.match`, and the drawing."""

import cv2
import numpy as np
import pytest

from tests.models.record_xfeat import pictures
from tests.run_script import imported_alone, run_script


def test_lines_of_the_homography_lie_on_top_and_end_at_the_points():
    images = [np.full((40, 60, 3), 255, np.uint8), np.full((50, 30, 3), 255, np.uint8)]
    points = np.array([(5, 5), (50, 30), (20, 20)], np.float32), np.array([(20, 40), (10, 10), (20, 20)], np.float32)
    with imported_alone("experiments.match") as match:
        drawn = match.draw_matches(images, points, np.array([True, False, True]))
        plain = match.draw_matches(images, [np.zeros((0, 2))] * 2, np.zeros(0, bool))
    right = 60 + match.GAP
    assert drawn.shape == (50, right + 30, 3)
    for first, second, color in zip(*points, (match.INLIER, match.OUTLIER, match.INLIER), strict=True):
        for (x, y), left in ((first, 0), (second, right)):
            assert drawn[int(y), int(x) + left].tolist() == list(color)
    assert np.any(drawn[:40, 60:right] != 255)
    assert np.all(plain == 255)


@pytest.fixture
def photographs(tmp_path):
    for name, image in zip("ab", pictures(), strict=True):
        cv2.imwrite(str(tmp_path / f"{name}.png"), image[..., ::-1])
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((64, 64, 3), 9, np.uint8))
    cv2.imwrite(str(tmp_path / "small.png"), np.full((16, 64, 3), 9, np.uint8))
    (tmp_path / "none.jpg").write_bytes(b"no picture")
    return tmp_path


@pytest.mark.slow
def test_draws_the_matches_of_two_files(xfeat_exports, photographs):
    def match(images):
        return run_script("experiments.match", xfeat=xfeat_exports[0], matcher=xfeat_exports[1],
                          output=photographs / "m.jpg",
                          images=",".join(str(photographs / name) for name in images))
    done = match(["a.png", "b.png"])
    assert done.code == 0, done.stderr
    words = done.stdout.split()
    assert int(words[4]) > int(words[6]) > 20
    assert cv2.imread(str(photographs / "m.jpg")).shape == (203, 250 + 8 + 190, 3)
    done = match(["a.png", "flat.png"])
    assert " and 0 points, 0 matches, 0 of one homography" in done.stdout
    for images, message in ((["a.png"], "two images; received 1"), (["a.png", "none.jpg"], "none.jpg"),
                            (["a.png", "absent.jpg"], "absent.jpg"), (["a.png", "small.png"], "smaller than 32")):
        done = match(images)
        assert done.code == 2
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


def test_no_export(photographs, tiny_path):
    done = run_script("experiments.match", xfeat=tiny_path, matcher=tiny_path, output=photographs / "m.jpg",
                      images=f"{photographs}/a.png,{photographs}/b.png")
    assert done.code == 2
    assert "the signatures match and info" in done.stderr
