import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.synthetic.render import Camera, Canvas, Frame, Quad, Texture, billboard, normals

RED = (255, 0, 0)


def flat(color, side=32):
    return Texture(np.full((side, side, 4), (*color, 255), np.uint8))


def wall(color, z, width=4.0):
    x, low, high = width / 2, 2 - width / 2, 2 + width / 2
    return Quad(flat(color), np.array([(-x, high, z), (x, high, z), (x, low, z), (-x, low, z)]))


def frame_of(camera):
    return Frame(camera, np.zeros((camera.height, camera.width, 3), np.uint8))


def draw(frame, *quads, gain=(1.0, 1.0, 1.0), owner=1, night=False):
    frame.draw(quads, np.tile(gain, (len(quads), 1)), night, owner)


def test_target_is_in_the_middle(camera):
    assert camera.project(np.array((0.0, 2.0, 0.0))) == pytest.approx((59.5, 39.5, 20.0))


def test_right_is_right_and_up_is_up(camera):
    right, up = camera.project(np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 0.0]]))
    assert right[:2] == pytest.approx((64.5, 39.5))
    assert up[:2] == pytest.approx((59.5, 34.5))


def test_behind_the_camera_the_depth_is_negative(camera):
    assert camera.project(np.array((0.0, 2.0, 30.0)))[2] == pytest.approx(-10)


@given(st.floats(-1, 1), st.floats(-40, 40), st.floats(-40, 40))
def test_target_falls_where_the_shift_says(roll, x, y):
    camera = Camera((3.0, 2.0, 20.0), (1.0, 5.0, -2.0), roll, 90.0, 120, 80, (x, y))
    assert camera.project(np.array((1.0, 5.0, -2.0)))[:2] == pytest.approx((59.5 + x, 39.5 + y), abs=1e-6)


def test_a_wall_covers_what_the_camera_says(camera):
    frame = frame_of(camera)
    draw(frame, wall((200, 0, 0), 0.0), owner=7)
    rows, columns = np.nonzero(frame.owner == 7)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 49, 50, 69)
    assert (frame.color[30:50, 50:70, 0] == 200).all()
    assert abs(1 / frame.nearness[40, 60] - 20) < 1e-3


def test_a_slanted_quad_is_its_analytic_projection(camera):
    corners = np.array([(-3, 5, 2), (2, 6, -4), (2, 0, -4), (-3, 1, 2.0)])
    frame = frame_of(camera)
    draw(frame, Quad(flat(RED), corners))
    expected = np.zeros(frame.owner.shape, np.uint8)
    points = [(100 * x / (20 - z) + 59.5, 39.5 - 100 * (y - 2) / (20 - z)) for x, y, z in corners]
    cv2.fillConvexPoly(expected, np.round(np.array(points) * 16).astype(np.int32), 1, cv2.LINE_8, 4)
    assert (frame.owner != expected).mean() < 0.01
    row, column = 40, 60
    normal = normals([Quad(flat(RED), corners)])[0]
    direction = np.array(((column - 59.5) / 100, (39.5 - row) / 100, -1.0))
    depth = normal @ (corners[0] - camera.position) / (normal @ direction)
    assert 1 / frame.nearness[row, column] == pytest.approx(depth, rel=1e-4)


def test_the_nearer_wall_wins_in_either_order(camera):
    for order in ((0.0, 5.0), (5.0, 0.0)):
        frame = frame_of(camera)
        for z in order:
            draw(frame, wall((0, int(z * 40), 0), z), owner=1 + int(z))
        assert frame.owner[40, 60] == 6
    frame = frame_of(camera)
    draw(frame, wall((0, 10, 0), 0.0), wall((0, 200, 0), 5.0))
    assert frame.color[40, 60, 1] == 200


def test_gain_lights_and_holes_let_through(camera):
    frame = frame_of(camera)
    draw(frame, wall((100, 100, 100), 0.0), gain=(0.5, 1.0, 1.5))
    assert frame.color[40, 60, :3].tolist() == [50, 100, 150]
    hole = np.full((32, 32, 4), 255, np.uint8)
    hole[8:24, 8:24, 3] = 0
    draw(frame, Quad(Texture(hole), wall(RED, 5.0).corners), owner=2)
    assert frame.owner[40, 60] == 1
    assert frame.owner[28, 48] == 2


def test_the_back_and_what_is_behind_the_camera_are_not_drawn(camera):
    frame = frame_of(camera)
    back = wall(RED, 0.0)
    draw(frame, Quad(back.texture, back.corners[[1, 0, 3, 2]]), wall(RED, 30.0))
    assert not frame.owner.any()


def test_windows_shine_at_night(camera):
    texture = flat((10, 10, 10))
    texture.lights = np.full((32, 32), 255, np.uint8)
    day, night = frame_of(camera), frame_of(camera)
    for frame in (day, night):
        draw(frame, Quad(texture, wall(RED, 0.0).corners), night=frame is night)
    assert day.color[40, 60, 0] == 10
    assert night.color[40, 60, 0] == 255


def test_far_textures_are_averaged(camera):
    pixels = np.zeros((256, 256, 4), np.uint8)
    pixels[::2] = 255
    pixels[..., 3] = 255
    frame = frame_of(camera)
    draw(frame, Quad(Texture(pixels), wall(RED, 0.0).corners))
    assert frame.color[32:48, 52:68, 0].std() < 10
    assert int(frame.color[40, 60, 0]) == pytest.approx(127, abs=15)


def test_the_ground_lies_below_the_horizon(camera):
    frame = frame_of(camera)
    frame.draw_ground(np.full((16, 16, 3), 90, np.uint8), 4, (1.0, 1.0, 1.0))
    assert not frame.color[:39, :, 0].any()
    assert (frame.color[45:, :, 0] == 90).all()
    assert 1 / frame.nearness[59, 60] == pytest.approx(100 * 2 / 19.5, rel=1e-3)


def test_billboards_face_the_camera(camera):
    quad = billboard(flat(RED), camera, 5.0, 0.0, 2.0)
    middle = quad.corners.mean(0)
    sight = np.array(camera.position) - middle
    assert normals([quad])[0] @ (sight * (1, 0, 1)) == pytest.approx(np.hypot(sight[0], sight[2]))
    assert middle == pytest.approx((5, 1, 0))


def test_metres_run_right_and_up():
    canvas = Canvas(4, 2, 10)
    canvas.fill([[(3, 0), (4, 0), (4, 1), (3, 1)]], RED)
    covered = canvas.pixels[..., 3] > 127
    assert canvas.pixels.shape == (20, 40, 4)
    assert covered[12:19, 32:39].all()
    assert not covered[:9].any()
    assert not covered[:, :29].any()


def test_lights_follow_shapes_and_are_painted_over():
    canvas = Canvas(2, 2, 10)
    canvas.fill([[(0, 0), (2, 0), (2, 2), (0, 2)]], RED, light=200)
    canvas.fill([[(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5)]], (0, 0, 0))
    assert canvas.lights[0, 0] == 200
    assert canvas.lights[10, 10] == 0


def test_cut_makes_a_hole():
    canvas = Canvas(2, 2, 10, (90, 90, 90))
    canvas.cut([[(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5)]])
    assert canvas.pixels[10, 10, 3] == 0
    assert canvas.pixels[1, 1, 3] == 255
