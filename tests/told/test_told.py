"""What the pages say is what the code does."""

import ast
import re
from pathlib import Path

import pytest

from pipelinekit.kit.registry import discover
from tests.told.reference import FOLDER, MADE, PAGES

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "pipelinekit").rglob("*.py"))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert page == MADE + PAGES[name](), "run `python -m tests.told.reference`"


def test_every_provider_tells_what_it_does_and_what_each_setting_means() -> None:
    for provider in discover().values():
        if not provider.__module__.startswith("pipelinekit."):
            continue
        text = provider.__doc__ or ""
        assert text.strip(), f"{provider.traits.id} has no docstring"
        for setting in provider.settings:
            assert re.search(rf"^\s+{setting}: ", text, re.MULTILINE), (
                f"{provider.traits.id} does not tell what {setting} means"
            )


@pytest.mark.parametrize("room", ["model", "engine"])
def test_the_core_has_no_clock_no_dice_and_no_files(room: str) -> None:
    forbidden = re.compile(r"\b(datetime\.now|time\(|uuid4|random|logging|open\()")
    for source in (ROOT / "pipelinekit" / room).glob("*.py"):
        code = ast.unparse(ast.parse(source.read_text(encoding="utf-8")))
        assert not forbidden.search(code), source


def test_every_room_has_a_charter() -> None:
    for room in (ROOT / "pipelinekit").iterdir():
        charter = room / "__init__.py"
        if charter.exists():
            text = ast.get_docstring(ast.parse(charter.read_text(encoding="utf-8"))) or ""
            assert "ay import" in text or "mports" in text, f"{room.name} has no charter"


FOREIGN = {
    "pipelinekit/endpoint/crew.py": "waitress, for one of several connections",
    "pipelinekit/kit/files.py": "a definition in Python",
    "pipelinekit/runtime/bench.py": "a provider",
    "pipelinekit/runtime/courier.py": "a subscriber",
    "pipelinekit/tools/jobs/runner.py": "whatever a runner was given",
}


def test_all_exceptions_are_swallowed_only_where_foreign_code_is_called() -> None:
    found = [
        source.relative_to(ROOT).as_posix()
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _swallows_all(node)
    ]
    assert found == sorted(FOREIGN)


def _swallows_all(handler: ast.ExceptHandler) -> bool:
    broad = {"Exception", "BaseException"}
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = any(each is None or getattr(each, "id", "") in broad for each in caught)
    passed_on = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return names and not passed_on


def test_every_decision_page_is_listed() -> None:
    folder = ROOT / "notebooks" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for page in folder.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in listed
