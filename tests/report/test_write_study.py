import json

from landmark_zoo.core.files import read_csv
from landmark_zoo.report.study_run import COSTS
from landmark_zoo.report.write_study import write_study


def test_table_summary_and_figure_of_the_folders_of_runs(result_folder, tmp_path):
    folders = []
    for block, score in (("baseline", 0.25), ("se", 0.5)):
        result_folder(folder=f"{block}/results/trained", score=score)
        (tmp_path / block / "study.json").write_text(json.dumps(
            {"method": "frozen", "block": block, "seed": 0, **dict.fromkeys(COSTS, 3)}))
        folders.append(tmp_path / block)
    rows = write_study(tmp_path / "study", folders)
    assert [row.block for row in rows] == ["baseline", "se"]
    lines = list(read_csv(tmp_path / "study" / "summary.csv", ["method", "block", "mean", "difference", *COSTS]))
    assert [(line["mean"], line["difference"], line["standard_deviation"]) for line in lines] == [
        ("0.250000", "", ""), ("0.500000", "0.250000", "")]
    assert lines[0]["block_macs"] == "3"
    assert "| se | 1 | 50.0 |" in (tmp_path / "study" / "table.md").read_text()
    assert (tmp_path / "study" / "figure.png").stat().st_size > 1000
