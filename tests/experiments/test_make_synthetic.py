import functools

from tests.run_script import run_script

make = functools.partial(
    run_script, "experiments.make_synthetic", train_landmarks=1, train_views=1, benchmark_landmarks=1, index_views=1,
    query_views=1, distractors=0, long_side=64, workers=1)


def test_draws_and_counts_then_finds_its_work_done(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    output = tmp_path / "drawn"
    first = make(output=output)
    assert first.code == 0, first.stderr
    assert dict(line.rsplit(maxsplit=1) for line in first.stdout.splitlines())["train landmarks"] == "1"
    assert (output / "train.csv").is_file()
    second = make(output=output)
    assert (second.code, second.stdout) == (0, first.stdout)
    assert "drawn already" in caplog.text
    other = make(output=output, seed=3)
    assert (other.code, other.stderr.count("\n")) == (2, 1)
    assert "seed 0 instead of 3" in other.stderr


def test_bad_flags_are_one_line():
    done = make(output="x", long_side=10)
    assert (done.code, done.stderr.count("\n")) == (2, 1)
    assert "long_side" in done.stderr
