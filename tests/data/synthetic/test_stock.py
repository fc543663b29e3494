import pytest

from landmark_zoo.data.synthetic.stock import draw_stock


def test_the_stock_is_kept_and_depends_on_the_seed():
    assert draw_stock(0) is draw_stock(0)
    first, other = (draw_stock(seed).things["car"][0].pixels for seed in (0, 1))
    assert first.shape == other.shape


@pytest.mark.parametrize(("kind", "least", "most"), [("tree", 6, 13), ("person", 1.5, 2), ("car", 1.5, 1.5),
                                                      ("lamp", 6, 6), ("bus", 3, 3), ("parasol", 2.6, 2.6)])
def test_things_have_their_size(rng, kind, least, most):
    for _ in range(5):
        panel = draw_stock(0).stand(rng, kind, 4, -7)
        corners = panel.corners
        assert least <= corners[:, 1].max() <= most
        assert corners[:, 1].min() == pytest.approx(0)
        assert corners.mean(0)[[0, 2]] == pytest.approx((4, -7))


def test_trees_may_be_given_a_height(rng):
    assert draw_stock(0).stand(rng, "tree", 0, 0, tall=3.0).corners[:, 1].max() == pytest.approx(3)
