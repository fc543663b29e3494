from experiments.reranking.measured_row import MeasuredRow
from experiments.reranking.measured_table import HEADER, aligned_text, effect, measured_table
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark

BENCHMARK = Gldv2Benchmark("b", ("p", "q"), ("x",), {}, {"p": "Public", "q": "Private"}, 0, "0")
BEFORE = MeasuredRow("E2", "classification", {"p": 0.5, "q": 0.8}, 12.34)
AFTER = MeasuredRow("E5", "re-ranked by SIFT", {"p": 0.7, "q": 0.7}, 400.0, 0.85, 60.0)


def test_rows_in_per_cent_and_dashes_for_missing_models():
    table = measured_table([BEFORE, MeasuredRow("E3", "siamese from ImageNet", {}), AFTER], BENCHMARK)
    assert table[0] == ("E2", "classification", "65.00", "50.0 to 80.0", "80.00", "50.00", "12.3", "-")
    assert table[1] == ("E3", "siamese from ImageNet", *"------")
    assert table[2][2:6] == ("70.00", "70.0 to 70.0", "70.00", "70.00")
    assert table[2][-2:] == ("400.0", "0.85")
    lines = aligned_text([HEADER, *table]).splitlines()
    assert len(lines) == 4
    assert lines[1].index("65.00") == lines[0].index("mAP@100")


def test_says_where_it_is_worse():
    lines = effect(AFTER, BEFORE, {"p": "tower", "q": "bridge"})
    assert lines[0].startswith("E5 against E2: +5.00 [")
    assert lines[0].endswith("1 queries better, 1 worse, 0 equal")
    assert lines[1:] == ["  worse on bridge: -10.00 over 1 queries"]
