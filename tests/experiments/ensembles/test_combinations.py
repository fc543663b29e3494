"""Which ensembles are looked at."""

from experiments.ensembles.combinations import combinations


def test_three_members():
    assert combinations(["a", "b", "c"]) == {
        "all": (0, 1, 2), "without a": (1, 2), "without b": (0, 2), "without c": (0, 1), "a alone": (0,), "b alone": (1,),
        "c alone": (2,)}


def test_of_two_members_the_one_without_is_the_other_alone():
    assert list(combinations(["a", "b"])) == ["all", "a alone", "b alone"]
