"""Every rule of the reference has a test, or a reason why it has none."""

import ast

import pytest

from tests.told.rules import TESTS, TOLD, functions_of, rules

NUMBERED = {"3.1": 8, "3.9": 10, "5.3": 9}
SECTIONS = [
    *(f"3.{number}" for number in range(1, 17)),
    *(
        f"{section}.{number}"
        for section, most in NUMBERED.items()
        for number in range(1, most + 1)
    ),
    "4",
    "5.1",
    "5.2",
    "5.4",
    "8",
    "10",
    *(f"C{number}" for number in range(1, 25)),
]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_and_every_numbered_rule_is_in_the_table(section: str) -> None:
    found = [rule for rule in rules() if rule.section == section]
    assert found or section in NUMBERED
    assert all(rule.test or rule.note for rule in found)


def test_every_test_among_the_rules_tells_its_section() -> None:
    for file in (TESTS / "engine" / "rules").glob("test_*.py"):
        for test in functions_of(file):
            first = (ast.get_docstring(test) or "").partition("\n")[0]
            assert TOLD.fullmatch(first), f"{file.name}: {test.name} does not begin with a section"


def test_no_two_functions_of_a_rule_have_the_same_name() -> None:
    files: dict[str, str] = {}
    for rule in rules():
        if rule.test:
            assert files.setdefault(rule.test, rule.file) == rule.file, rule.test
