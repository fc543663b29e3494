from landmark_zoo.training.code_fingerprint import code_fingerprint


def test_names_and_bytes_count_other_files_do_not(tmp_path):
    def found(**files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in files.items():
            (folder / "sub").mkdir(parents=True, exist_ok=True)
            (folder / "sub" / name.replace("_", ".")).write_text(text)
        return code_fingerprint(folder)
    same = found(a_py="x = 1")
    assert same == found(a_py="x = 1", note_txt="more")
    assert len({same, found(a_py="x = 2"), found(b_py="x = 1"), found(a_py="x = 1", b_py="")}) == 4


def test_this_package():
    assert code_fingerprint() == code_fingerprint()
    assert len(code_fingerprint()) == 64
