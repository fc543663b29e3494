import numpy as np

from landmark_zoo.data.synthetic.frame import Frame
from landmark_zoo.data.synthetic.panel import Panel, sprite
from landmark_zoo.data.synthetic.texture import Texture

PLAIN = (1.0, 1.0, 1.0)


def flat(colour, side=32):
    return Texture(np.full((side, side, 4), (*colour, 255), np.uint8))


def wall(colour, z, width=4.0):
    return Panel(flat(colour), (-width / 2, 2 + width / 2, z), (width, 0, 0), (0, -width, 0))


def frame_of(camera):
    return Frame(camera, np.zeros((camera.height, camera.width, 3), np.uint8))


def test_a_wall_covers_what_the_camera_says(camera):
    frame = frame_of(camera)
    frame.draw(wall((200, 0, 0), 0.0), PLAIN, "day", 7)
    rows, columns = np.nonzero(frame.owner == 7)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 49, 50, 69)
    assert (frame.colour[30:50, 50:70, 0] == 200).all()
    assert abs(1 / frame.nearness[40, 60] - 20) < 1e-3


def test_the_nearer_wall_wins_in_either_order(camera):
    for order in ((0.0, 5.0), (5.0, 0.0)):
        frame = frame_of(camera)
        for z in order:
            frame.draw(wall((0, int(z * 40), 0), z), PLAIN, "day", 1 + int(z))
        assert frame.owner[40, 60] == 6


def test_gain_lights_and_holes_let_through(camera):
    frame = frame_of(camera)
    frame.draw(wall((100, 100, 100), 0.0), (0.5, 1.0, 1.5), "day", 1)
    assert frame.colour[40, 60, :3].tolist() == [50, 100, 150]
    hole = np.full((32, 32, 4), 255, np.uint8)
    hole[8:24, 8:24, 3] = 0
    frame.draw(Panel(Texture(hole), (-2, 4, 5), (4, 0, 0), (0, -4, 0)), PLAIN, "day", 2)
    assert frame.owner[40, 60] == 1
    assert frame.owner[28, 48] == 2


def test_the_back_of_a_wall_is_not_drawn(camera):
    frame = frame_of(camera)
    frame.draw(wall((200, 0, 0), 0.0).rotated(np.pi), PLAIN, "day", 1)
    assert not frame.owner.any()


def test_what_lies_behind_the_camera_is_cut_off(camera):
    frame = frame_of(camera)
    alley = Panel(flat((0, 0, 200)), (-3, 6, 60), (0, 0, -60), (0, -6, 0), closed=False)
    frame.draw(alley, PLAIN, "day", 1)
    frame.draw(wall((9, 9, 9), 30.0), PLAIN, "day", 2)
    assert (frame.owner == 1).any()
    assert not frame.owner[:, 61:].any()


def test_lift_brings_a_round_thing_forward(camera):
    frame = frame_of(camera)
    frame.draw(wall((200, 0, 0), 0.0), PLAIN, "day", 1)
    frame.draw(sprite(flat((0, 200, 0)), 0, -1, 0, 3, 4, lift=2.0), PLAIN, "day", 2)
    assert frame.owner[40, 60] == 2
