import csv
import dataclasses

from landmark_zoo.report.analysis.lists import write_lists


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_everything_that_the_page_shows_in_part(findings, tmp_path):
    write_lists(tmp_path, findings)
    assert [(row["part"], row["id"], row["other_part"], row["other_id"], row["bits"]) for row in
            rows(tmp_path / "duplicates.csv")] == [("train", "train0", "train", "train1", "0"),
                                                   ("train", "train3", "index", "index0", "0")]
    assert rows(tmp_path / "unreadable.csv") == [{"part": "train", "id": "train4", "reason": "empty file"}]
    noise = rows(tmp_path / "noise.csv")
    assert [row["id"] for row in noise] == ["train2", "train3", "train4", "train1", "train0"]
    assert noise[1] == {"part": "train", "id": "train3", "landmark": "<b>gate</b>", "strangeness": "0.4000",
                        "disagreement": "1.00", "likelier_landmark": "set/taj_mahal"}


def test_without_embeddings_there_is_no_list_of_noise(findings, tmp_path):
    write_lists(tmp_path, dataclasses.replace(findings, judged=None))
    assert not (tmp_path / "noise.csv").exists()
