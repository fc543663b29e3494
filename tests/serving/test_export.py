"""The export of a model of the zoo."""


def test_holds_no_more_than_the_weights_without_the_head(model, exported):
    size = sum(path.stat().st_size for path in exported.rglob("*") if path.is_file())
    assert (exported / "variables" / "variables.index").exists()
    assert not (exported / "keras_metadata.pb").exists()
    assert size < 4 * model.count_params() + 2_000_000
