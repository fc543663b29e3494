from landmark_zoo.report.analysis.readable_name import readable_name


def test_folders_become_words_and_numbers_stay():
    assert readable_name("wonders/taj_mahal") == "taj mahal"
    assert readable_name("139894") == "139894"
    assert readable_name("_") == " "
    assert readable_name("") == ""
