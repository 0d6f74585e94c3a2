"""Collects the rules of CodePipeline's semantics from the docstrings of the tests that hold them.

Such a docstring begins with the sections of `codepipeline.md` that the rule is told in, or the
numbers of its traps: `3.4, C1: superseding happens only between stages.` CHOICE in it marks what
the reference leaves open, and what was decided here.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.told.untested import UNTESTED

TESTS = Path(__file__).parents[1]
TOLD = re.compile(r"((?:C?\d+(?:\.\d+)*(?:, |: ))+)(.+)")
CHOICE = " (CHOICE)"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and the test that holds it.

    Attributes:
        section: Of the reference, or a number of a trap, such as `C1`.
        text: The rule in a sentence.
        file: The file of the test, below `tests`; empty where there is none.
        test: The test's name; empty where there is none.
        note: CHOICE, or why there is no test.
    """

    section: str
    text: str
    file: str = ""
    test: str = ""
    note: str = ""

    @property
    def place(self) -> tuple[str, ...]:
        """Give what rules are sorted by: sections by their numbers, traps last."""
        numbers = self.section.removeprefix("C").split(".")
        return (self.section[0] if self.section[0] == "C" else "", *(n.zfill(3) for n in numbers))


def functions_of(file: Path) -> Iterator[ast.FunctionDef]:
    """Go through the test functions of a file."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


@cache
def rules() -> tuple[Rule, ...]:
    """Collect all rules, by section; those without a test at the end of theirs."""
    found = [
        rule
        for file in sorted(TESTS.rglob("test_*.py"))
        for test in functions_of(file)
        for rule in _told_by(file, test)
    ]
    found += [Rule(section, text, note=why) for section, text, why in UNTESTED]
    return tuple(sorted(found, key=lambda rule: rule.place))


def page() -> str:
    """Write the table of the rules."""
    all_rules = rules()
    tested = [rule for rule in all_rules if rule.test]
    tests = {(rule.file, rule.test) for rule in tested}
    text = (
        "# The rules and their tests\n\n"
        "Sections are those of `codepipeline.md`, C is its list of traps. CHOICE marks what AWS's "
        "documents leave open and was decided here.\n\n"
        f"{len(tests)} tests hold {len(tested)} rules; {len(all_rules) - len(tested)} rules have "
        f"none, and say why.\n\n"
        f"| section | rule | test | note |\n| --- | --- | --- | --- |\n"
    )
    return text + "".join(_row(rule) for rule in all_rules)


def _told_by(file: Path, test: ast.FunctionDef) -> Iterator[Rule]:
    told = TOLD.fullmatch((ast.get_docstring(test) or "").partition("\n")[0])
    if told is None:
        return
    text, choice = told[2].replace(CHOICE, ""), "CHOICE" if CHOICE in told[2] else ""
    for section in re.findall(r"C?\d+(?:\.\d+)*", told[1]):
        yield Rule(section, text, file.relative_to(TESTS).as_posix(), test.name, choice)


def _row(rule: Rule) -> str:
    name = rule.test.removeprefix("test_").replace("_", " ")
    test = f"[{name}](../../tests/{rule.file})" if rule.test else "-"
    cells = (rule.section, rule.text, test, rule.note)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
