"""Where results come from."""

import re

from absl import flags

from landmark_zoo.core.provenance import git_commit, resolved_flags, versions


def test_versions_of_what_matters():
    found = versions()
    assert (found["python"][:4], found["numpy"][:2]) in {("3.11", "1."), ("3.12", "2."), ("3.13", "2.")}
    assert ("tf_keras" in found) == (found["tensorflow"] > "2.15.1")


def test_commit_or_unknown():
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", git_commit())


def test_a_machine_without_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit() == "unknown"


def test_only_our_flags_with_their_values():
    values = flags.FlagValues()
    flags.DEFINE_integer("ours", 3, "Ours.", flag_values=values, module_name="experiments.train")
    flags.DEFINE_integer("theirs", 4, "Theirs.", flag_values=values, module_name="absl.logging")
    values(["script", "--ours=5"])
    assert resolved_flags(values) == {"ours": 5}
