from landmark_zoo.core.divided import divided


def test_words_before_and_behind_the_dashes():
    assert divided(["name", "--workers=2", "--", "--epochs=1", "--"]) == (["name", "--workers=2"], ["--epochs=1", "--"])
    assert divided(["name"]) == (["name"], [])
