from landmark_zoo.evaluation.answer import Answer
from landmark_zoo.evaluation.answers import Answers


def test_a_query_without_an_answer_found_nothing():
    answers = Answers({"q": Answer([("a", 0)])}, {})
    assert answers.of("q").ranks({"a"}).tolist() == [0]
    assert answers.of("other").ranks({"a"}).tolist() == []
