from landmark_zoo.data.download.remove_unfinished import remove_unfinished


def test_only_temporary_files_go(tmp_path):
    for name in (".a.json.x1.tmp", "a.json", ".lock", "b.tmp", "c.part"):
        (tmp_path / name).write_text("x")
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path / "nowhere")
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", ".lock", "b.tmp", "c.part"}
