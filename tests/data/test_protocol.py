import dataclasses

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import PUBLISHED, Protocol, Scales


def test_words_of_the_projects_own_are_those_of_earlier_exports():
    own = Protocol(352)
    assert (own.words, own.aggregation) == ("longer side to 352 pixels, antialiased", "none")
    assert own.crop_words == "in pixels of the file, before the resize"
    assert Scales((0.5, 1.0)).aggregation == "mean of embeddings of length 1, L2"
    assert Scales((2.0,), power=2.5).aggregation == "generalised mean, p 2.5, of embeddings of length 1, L2"


def test_words_of_other_rules():
    assert PUBLISHED["cirtorch"].words == (
        "longer side to 1024 pixels at most, LANCZOS, in whole gray levels as Pillow's thumbnail")
    assert PUBLISHED["cirtorch"].crop_words == "in pixels of the file, before the resize, which keeps the image's scale"
    assert PUBLISHED["cirtorch"].aggregation == (
        "mean of embeddings of length 1, L2; scales without antialiasing, sizes rounded down")
    assert PUBLISHED["cvnet"].words == "none, images keep their size"
    assert PUBLISHED["cvnet"].crop_words == "in pixels of the file, corners rounded down, not resized"
    assert "maximum of embeddings of length 1, L2" in PUBLISHED["superglobal"].aggregation
    assert dataclasses.replace(Protocol(), whitening_l2=False).aggregation == "none; left out before the whitening: L2"


def test_no_two_rules_have_the_same_words():
    """What a card shows tells any two of the published protocols apart, but for those that are one."""
    shown = {name: (p.words, p.crop_words, p.aggregation, p.scales.factors) for name, p in PUBLISHED.items()}
    assert {name for name in shown if list(shown.values()).count(shown[name]) > 1} == {"cirtorch", "solar"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_constants_bring_a_protocol_back(name):
    protocol = PUBLISHED[name]
    assert Protocol.from_constants({**protocol.constants, "name": "m", "resize": "words"}) == protocol


def test_what_an_earlier_export_does_not_state_is_as_it_was():
    assert Protocol.from_constants({"side": 224}) == Protocol(224, "bilinear", True, "side", "nearest", Scales(), True)
    assert Protocol.from_constants({"side": 64, "scales": "[1.0]; [0.5, 1.0]"}).scales == Scales()


@pytest.mark.parametrize(("change", "said"), [
    ({"side": 16}, "a side of 32 pixels or more; received 16"), ({"side": 9000}, "side .*; received 9000"),
    ({"resize": "cubic"}, r"bilinear, pil_bilinear, lanczos, none for --resize_rule; received cubic"),
    ({"crop": "box"}, "side, image for --crop_rule; received box"),
    ({"box_rounding": "up"}, "nearest, floor for --box_rounding")])
def test_no_such_rule(change, said):
    with pytest.raises(UserError, match=said):
        Protocol(**change)


@pytest.mark.parametrize("factors", [(), (0.0,), (-1.0, 1.0), (1.0, 1.0), (float("nan"),)])
def test_no_such_scales(factors):
    with pytest.raises(UserError, match="scales above 0, none twice"):
        Scales(factors)


@pytest.mark.parametrize(("change", "said"), [
    ({"power": 0.0}, "a power above 0"), ({"power": -1.0}, "a power above 0"), ({"power": float("inf")}, "a power above 0"),
    ({"pooling": "sum"}, "mean, maximum for --scale_pooling"), ({"resize": "cubic"}, "for --scale_resize; received cubic"),
    ({"rounding": "up"}, "for --scale_rounding"), ({"ratio": "1"}, "for --scale_ratio"),
    ({"factors": (17.0,)}, "scales up to 16"),
    ({"pooling": "maximum", "power": 3.0}, "a power with --scale_pooling=mean; received 3 with maximum")])
def test_no_such_aggregation(change, said):
    with pytest.raises(UserError, match=said):
        Scales(**change)


def test_only_enlarged_crops_at_the_images_scale_need_a_signature_of_their_own():
    assert Protocol(crop="image").crops_apart
    assert not any(protocol.crops_apart for protocol in (Protocol(), *PUBLISHED.values()))
