import dataclasses

from landmark_zoo.report.analysis.noise import noise


def test_the_strangest_and_the_most_disputed_come_first(findings):
    html = noise(findings)
    strange, disputed = html.split("More like another landmark")
    assert [strange.index(f'title="train{number}"') for number in (2, 3, 1, 0)] == sorted(
        strange.index(f'title="train{number}"') for number in (2, 3, 1, 0))
    assert "taj mahal, 0.50" in strange
    assert disputed.index('title="train3"') < disputed.index('title="train2"')
    assert "b&gt; → taj mahal" in disputed
    assert "1 photograph (16.7 %)" in disputed
    assert 'title="train0"' not in disputed
    assert "1 photograph could not be judged, alone of a landmark." in strange


def test_without_embeddings_it_says_what_is_needed(findings):
    assert "--savedmodel" in noise(dataclasses.replace(findings, judged=None))
