"""The table of methods in README.md is made from the table in the code."""

from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.layers.attention.taxonomy import taxonomy_table


def test_rows():
    table = taxonomy_table([ATTENTION["cbam"]]).splitlines()
    assert table[2].startswith("| [cbam](landmark_zoo/layers/attention/cbam.py) | x | x |  |  | x |  | Woo et al.")


def test_readme_holds_it(root):
    table = taxonomy_table(ATTENTION[name] for name in ATTENTION)
    assert table in (root / "README.md").read_text(encoding="utf-8"), "python -m experiments.summary --taxonomy prints it"


def test_links_lead_to_files(root):
    for name in ATTENTION:
        assert (root / f"{ATTENTION[name].layer.__module__.replace('.', '/')}.py").is_file()
