from landmark_zoo.data.synthetic.names import invented_names
from landmark_zoo.data.synthetic.plans import PLANS


def test_every_landmark_has_a_name_of_its_own():
    plans = [*PLANS, None] * 40
    names = invented_names(3, plans)
    assert set(names) == {site for site, plan in enumerate(plans) if plan}
    assert len(set(names.values())) == len(names)
    assert not any(" " in name for name in names.values())


def test_names_depend_on_the_seed():
    assert invented_names(0, list(PLANS)) == invented_names(0, list(PLANS))
    assert invented_names(0, list(PLANS)) != invented_names(1, list(PLANS))
