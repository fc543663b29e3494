import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas

RED = (255, 0, 0)


def test_metres_run_right_and_up():
    canvas = Canvas(4, 2, 10)
    canvas.rectangle(3, 0, 1, 1, RED)
    covered = canvas.pixels[..., 3] > 127
    assert canvas.pixels.shape == (20, 40, 4)
    assert covered[12:19, 32:39].all()
    assert not covered[:9].any()
    assert not covered[:, :29].any()


def test_lights_follow_shapes_and_are_painted_over():
    canvas = Canvas(2, 2, 10)
    canvas.rectangle(0, 0, 2, 2, RED, light=200)
    canvas.disc(1, 1, 0.5, (0, 0, 0))
    assert canvas.lights[0, 0] == 200
    assert canvas.lights[10, 10] == 0


def test_cut_makes_a_hole():
    canvas = Canvas(2, 2, 10, np.full((20, 20, 3), 90, np.uint8))
    canvas.cut([(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5)])
    assert canvas.pixels[10, 10, 3] == 0
    assert canvas.pixels[1, 1, 3] == 255


def test_shade_darkens_towards_its_foot():
    canvas = Canvas(2, 2, 10, np.full((20, 20, 3), 100, np.uint8))
    canvas.shade(0, 0, 2, 1, 1.0, 0.5)
    assert canvas.pixels[9, 5, 0] == 100
    assert canvas.pixels[19, 5, 0] == 50


def test_stamp_is_clipped_at_every_edge():
    patch = Canvas(1, 1, 10, np.full((10, 10, 3), 200, np.uint8))
    canvas = Canvas(3, 3, 10)
    for place in ((-0.5, -0.5), (2.5, 2.5), (9, 9), (-9, 1)):
        canvas.stamp(patch, *place)
    assert (canvas.pixels[..., 3] > 0).sum() == 50
