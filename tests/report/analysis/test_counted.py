from landmark_zoo.report.analysis.counted import counted


def test_none_one_and_many():
    assert [counted(number, "photograph") for number in (0, 1, 2345)] == [
        "no photographs", "1 photograph", "2,345 photographs"]
    assert counted(3, "country", "countries") == "3 countries"
