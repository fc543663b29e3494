from landmark_zoo.data.synthetic.window import Glazier


def test_equal_windows_are_drawn_once(building):
    glazier = Glazier(building, 20.0)
    first = glazier.window("round", 1.2, 2.4, lit=True, tone=0)
    assert glazier.window("round", 1.2, 2.4, lit=True, tone=0) is first
    assert glazier.window("round", 1.2, 2.4, lit=False, tone=0) is not first


def test_lit_windows_shine_more_and_glass_mirrors_the_sky(building):
    glazier = Glazier(building, 20.0)
    dark, lit = (glazier.window("square", 1.2, 2.4, lit=lit, tone=0) for lit in (False, True))
    bright = glazier.window("square", 1.2, 2.4, lit=False, tone=2)
    assert lit.lights.mean() > 5 * dark.lights.mean()
    assert bright.pixels[..., :3].mean() > dark.pixels[..., :3].mean()
