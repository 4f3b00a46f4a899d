"""Answers: by number, by value, several at once; and what is refused."""

import pytest

from tierbook import fill_in
from tierbook.errors import ParamsError
from tierbook.intake.questions import Choice, Desk, Question, answers, understood
from tierbook.schema import SCHEMA

ONE = Question("amount", "which?", (Choice("应付", "应付 (1)"), Choice("实付", "实付 (2)")))
MANY = Question(
    "count_status", "which?", tuple(Choice(v, v) for v in ("paid", "sent, not paid", "2", "all")), several=True
)
RATE = Question("rates.USD", "worth?", number=True)


@pytest.mark.parametrize(
    ("question", "said", "expected"),
    [
        (ONE, "2", "实付"),
        (ONE, " 应付 ", "应付"),
        (ONE, "3", None),
        (ONE, "0", None),
        (ONE, "1,2", None),
        (MANY, "1, 2", ["paid", "2"]),  # the value 2 goes before the second of the list
        (MANY, "sent, not paid", ["sent, not paid"]),  # a value may hold a comma
        (MANY, "PAID，2", ["paid", "2"]),
        (MANY, "paid,all", "all"),
        (MANY, "paid,nothing", None),
        (RATE, "7.1", "7.1"),
        (RATE, "0", None),
        (RATE, "seven", None),
    ],
)
def test_what_an_answer_means(question, said, expected):
    assert understood(question, said) == expected


def test_nobody_to_ask_leaves_the_question_open():
    desk = Desk({})
    assert desk.settle(ONE) is None and desk.open == [ONE]
    assert Desk({}, ask=lambda question: "实付").settle(ONE) == "实付"


def test_a_wrong_answer_names_the_nearest():
    with pytest.raises(ParamsError, match="nearest is '实付'"):
        Desk({"amount": "实付款"}).settle(ONE)
    with pytest.raises(ParamsError, match="unknown; nearest is 'count_status'"):
        answers(["count_statu=x"], SCHEMA["transactions"])
    with pytest.raises(ParamsError, match="write key=value"):
        answers(["amount"], SCHEMA["transactions"])


def test_an_answer_that_nothing_asks_for_is_a_slip():
    with pytest.raises(ParamsError, match="count_status=paid: these files leave nothing to choose"):
        Desk({"count_status": "paid"}).refuse_unused()


def test_open_lines_are_refused_with_their_choices(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("source:\n  columns:\n    amount: FILL_IN  # 应付 (1) | 实付 (2)\n  count_status: FILL_IN\n")
    tree = {"source": {"columns": {"amount": "FILL_IN"}, "count_status": ["FILL_IN"]}}
    assert fill_in.open_keys(tree) == ["source.columns.amount", "source.count_status"]
    told = fill_in.refusal(tree, str(path))
    assert told == (
        f"{path}: source.columns.amount is still FILL_IN; write one of: 应付 (1) | 实付 (2) (and 1 more: source.count_status)"
    )
    assert fill_in.refusal({"amount": "FILL_INS"}, "x") is None
    assert fill_in.refusal({"amount": "FILL_IN"}, "notebook parameters") == (
        "notebook parameters: amount is still FILL_IN; write its value"
    )
