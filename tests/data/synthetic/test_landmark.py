from dataclasses import replace

import numpy as np
import pytest

from landmark_zoo.data.synthetic import landmark as module
from landmark_zoo.data.synthetic.landmark import box, build_landmark, disc, draw_facade, draw_landmark, outline
from landmark_zoo.data.synthetic.render import Camera, Frame, normals


@pytest.fixture(scope="module")
def plain():
    """A palace without towers, wings and set-backs."""
    return replace(draw_landmark(np.random.default_rng(1)), width=30.0, depth=20.0, storeys=3, storey_height=4.0, bays=5,
                   setbacks=(), wings=0.0, towers=0, porch=0, roof="flat", crown="none", rose=False, bands=False,
                   pilasters=False, stripes=False)


def corners(quads):
    return np.concatenate([quad.corners for quad in quads])


def silhouette(quads, turn):
    low, high = corners(quads).min(0), corners(quads).max(0)
    middle, span = (low + high) / 2, float((high - low).max())
    eye = middle + 2.2 * span * np.array((np.sin(turn), 0.0, np.cos(turn)))
    camera = Camera((eye[0], 0.3 * high[1], eye[2]), tuple(middle), 0.0, 100.0, 96, 96)
    frame = Frame(camera, np.zeros((96, 96, 3), np.uint8))
    frame.draw(quads, np.ones((len(quads), 3)), False, 1)
    return frame.owner == 1


def test_a_landmark_depends_on_its_generator_alone():
    assert draw_landmark(np.random.default_rng(3)) == draw_landmark(np.random.default_rng(3))
    assert draw_landmark(np.random.default_rng(3)) != draw_landmark(np.random.default_rng(4))
    first, again = (build_landmark(draw_landmark(np.random.default_rng(3)), 80) for _ in range(2))
    assert all((one.corners == other.corners).all() for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_landmarks_stand_on_the_ground_and_show_from_every_side(seed):
    quads = build_landmark(draw_landmark(np.random.default_rng(seed)), 100)
    assert np.isfinite(corners(quads)).all()
    assert corners(quads)[:, 1].min() == pytest.approx(0, abs=1e-6)
    assert 8 < (corners(quads).max(0) - corners(quads).min(0)).max() < 200
    assert all(silhouette(quads, turn).mean() > 0.02 for turn in (0.0, 0.8, -0.8, 3.0))


def test_two_landmarks_differ_in_their_silhouette():
    shapes = [silhouette(build_landmark(draw_landmark(np.random.default_rng(seed)), 60), 0.2) for seed in range(16)]
    likeness = [(a & b).sum() / (a | b).sum() for i, a in enumerate(shapes) for b in shapes[:i]]
    assert np.mean(likeness) < 0.6
    assert max(likeness) < 0.97


def test_a_block_is_a_closed_box(plain):
    quads = build_landmark(plain, 100)
    assert corners(quads).min(0) == pytest.approx((-15, 0, -10))
    assert corners(quads).max(0) == pytest.approx((15, 12, 10))
    assert len(quads) == 5


@pytest.mark.parametrize("roof", module.ROOF_SHAPES)
@pytest.mark.parametrize("cap", module.CAPS)
def test_every_face_looks_out(plain, roof, cap):
    for part in (replace(plain, roof=roof), replace(plain, towers=1, tower_back=False, cap=cap, depth=0.5, width=0.5)):
        quads = build_landmark(part, 60)
        quads = quads[:5 if part.towers == 0 and roof == "flat" else None] if not part.towers else quads[5:]
        middles = np.stack([quad.corners.mean(0) for quad in quads])
        inside = corners(quads).mean(0)
        outward = normals(quads)
        assert ((middles - inside) * outward * (1, 0, 1)).sum(1).min() > -0.5


@pytest.mark.parametrize("towers", [0, 1, 2, 4])
def test_towers_rise_above_the_mass(plain, towers):
    quads = build_landmark(replace(plain, towers=towers, tower_sides=6, tower_height=2.0, cap="spire"), 60)
    assert (corners(quads)[:, 1].max() > 24) == (towers > 0)
    assert len(quads) == 5 + towers * 12


def test_setbacks_and_wings(plain):
    quads = build_landmark(replace(plain, setbacks=(0.5,), wings=0.5), 60)
    high = corners(quads).max(0)
    assert high[0] == pytest.approx(30)
    assert high[1] == pytest.approx(16)


def test_more_openings_more_lights(plain):
    few, many = ((draw_facade(plain, 30, 20, storeys, bays, 8.0).lights > 10) for storeys, bays in ((1, 3), (4, 9)))
    assert few.any()
    assert many.any(0).sum() > few.any(0).sum() / 2
    assert many.any(1).sum() > few.any(1).sum() / 2


def test_openings_stand_in_a_grid(plain):
    glass = np.abs(draw_facade(plain, 30, 20, 2, 5, 8.0).pixels[..., :3].astype(int) - (58, 66, 78)).max(2) < 3
    assert (np.diff(glass.any(0).astype(int)) == 1).sum() >= 5


def test_teeth_are_cut_out_of_the_top(plain):
    wall = draw_facade(replace(plain, crown="teeth"), 30, 20, 2, 5, 8.0)
    assert 0.2 < (wall.pixels[0, :, 3] > 127).mean() < 0.8
    assert (wall.pixels[60:, :, 3] == 255).all()


def test_the_door_stands_in_the_middle(plain):
    bare, door = (draw_facade(plain, 30, 20, 2, 4 + front, 8.0, front=front).pixels for front in (False, True))
    wood = (np.abs(door[..., :3].astype(int) - (74, 54, 42)).max(2) < 3)
    columns = np.flatnonzero(wood.any(0))
    assert abs((columns[0] + columns[-1]) / 2 - wood.shape[1] / 2) < 4
    assert wood[-2].any()
    assert not (np.abs(bare[..., :3].astype(int) - (74, 54, 42)).max(2) < 3).any()


@pytest.mark.parametrize("kind", module.OPENINGS)
def test_outlines_fill_their_width_and_stay_below_their_height(kind):
    shape = outline(kind, 2.0, 3.0)
    assert shape.max(0)[0] - shape.min(0)[0] == pytest.approx(2)
    assert shape[:, 1].min() >= 0
    assert shape[:, 1].max() == pytest.approx(2.5 if kind == "round" else 3, abs=0.001)
    assert shape.mean(0)[0] == pytest.approx(0, abs=0.05)


def test_disc_and_box():
    assert np.linalg.norm(disc(1, 2, 3) - (1, 2), axis=1) == pytest.approx(np.full(24, 3))
    assert box(1, 2, 3, 4).tolist() == [[1, 2], [4, 2], [4, 6], [1, 6]]
