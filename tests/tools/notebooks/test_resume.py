"""A notebook that failed goes on: in the kernel that was kept, or in a fresh one."""

import json
import time
from pathlib import Path

import pytest

from pipelinekit.tools.notebooks import Limits, NotebookError, forget, read_before
from pipelinekit.tools.notebooks.needs import NotReplayableError, needed
from tests.tools.notebooks.books import Book, cell

KEPT = Limits(keep=60)
FAILS = "import os\nif not os.path.exists('go'): raise RuntimeError('not yet')\nprint(x)"


def cells(*sources: str, tagged: dict[int, str] | None = None) -> list[dict[str, object]]:
    tags = tagged or {}
    return [cell(each, *([tags[at]] if at in tags else [])) for at, each in enumerate(sources)]


NEEDS = [
    (("a = 1", "b = 2", "print(b)"), {1}),
    (("import os", "a = os.getcwd()", "print('no')", "a"), {0, 1}),
    (("def f(): return k", "k = 1", "z = 2", "f()"), {0, 1}),
    (("x = []", "x.append(1)", "y = []", "x"), {0, 1}),
    (("x = {}", "x['a'] = 1", "x.b.c = 2", "x"), {0, 1, 2}),
    (("a = 1", "a += 1", "deploy(a)", "a"), {0, 1}),
    (("from m import *", "a = 1", "a"), {0, 1}),
    (("%load_ext x", "a = 1", "a"), {0, 1}),
    (("%%bash\nrm -r /", "a = 1", "a"), {1}),
    (("%%time\na = 1", "b = 1", "a"), {0}),
    (("files = !ls", "b = 1", "files"), {0}),
    (("a = 1", "b = 1", "%%bash\necho $a"), {0}),
    (("with open('f') as f: pass", "for i in range(3): pass", "f, i"), {0, 1}),
    (("a = 1", "class A: pass", "import x.y", "A; x.y"), {1, 2}),
    (("a, (b, *c) = 1, (2, 3)", "d = 1", "c"), {0}),
    (("a = (", "b = 1", "b"), {0, 1}),
    (("import c", "x = c.Client()", "x.deploy()", "y = [x.ask()]", "x"), {0, 1}),
    (("if (n := 10) > 5: pass", "n"), {0}),
]


@pytest.mark.parametrize(("sources", "wanted"), NEEDS)
def test_what_the_failed_cell_needs_is_replayed(
    sources: tuple[str, ...], wanted: set[int]
) -> None:
    assert needed(cells(*sources), len(sources) - 1) == wanted


def test_a_checkpoint_is_replayed_with_what_it_needs_and_later_cells_count() -> None:
    sources = ("path = 'x'", "load(path)", "a = 1", "b = 1", "fails", "a")
    assert needed(cells(*sources, tagged={1: "checkpoint"}), 4) == {0, 1, 2}


def test_what_must_be_done_once_is_never_replayed() -> None:
    sources = ("deploy()", "d = deploy()", "print('x')", "d")
    with pytest.raises(NotReplayableError):
        needed(cells(*sources, tagged={1: "once"}), 3)
    assert needed(cells(*sources, tagged={0: "once"}), 3) == {1}


@pytest.mark.slow
def test_it_goes_on_in_the_kernel_that_was_kept(book: Book) -> None:
    book.write(
        "open('count', 'a').write('x')", "x = object(); print(id(x))", FAILS, "print('last')"
    )
    failed = book.fail(limits=KEPT)
    assert failed.record.kept
    assert failed.record.kept.token
    assert book.target.with_name("book.ipynb.kept.json").stat().st_mode & 0o077 == 0
    (book.folder / "go").touch()
    record = book.go_on(environment={"PIPELINEKIT_ROW": "2"})
    assert (record.first, record.ran, record.replayed, record.same_kernel) == (3, 2, (), True)
    assert book.said[0] == "-- it goes on at cell 3, in the kernel that was kept"
    assert (book.folder / "count").read_text("utf-8") == "x"
    assert book.printed(1)
    assert "object at" in book.printed(2)
    assert book.printed(3) == "last\n"
    assert read_before(book.target) is None


@pytest.mark.slow
def test_it_goes_on_in_a_fresh_kernel_with_what_it_needs(book: Book) -> None:
    book.write(
        "open('count', 'a').write('x')",
        "x = 5",
        cell("open('loaded', 'a').write('x'); None", "checkpoint"),
        FAILS,
        "print('last')",
        parameters="y = 1",
    )
    book.fail(parameters={"y": 2})
    (book.folder / "go").touch()
    record = book.go_on(parameters={"y": 2})
    assert (record.first, record.ran, record.replayed) == (5, 4, (3, 4))
    assert not record.same_kernel
    assert book.said[0] == "-- it goes on at cell 5, in a fresh kernel, after cells 3, 4 again"
    assert book.said[1] == "-- cell 3 of 6, again: x = 5"
    assert (book.folder / "count").read_text("utf-8") == "x"
    assert (book.folder / "loaded").read_text("utf-8") == "xx"
    assert book.printed(5) == "5\n"


@pytest.mark.slow
def test_a_kernel_that_died_is_replaced_by_a_fresh_one(book: Book) -> None:
    book.write("x = 5", "import os\nif not os.path.exists('go'): os._exit(1)\nprint(x)")
    assert book.fail(limits=KEPT).record.kept is not None
    (book.folder / "go").touch()
    assert book.go_on().replayed == (1,)
    assert book.printed(1) == "5\n"


@pytest.mark.slow
def test_a_changed_cell_before_the_failed_one_is_where_it_goes_on(book: Book) -> None:
    book.write("x = 1", "y = 2", "z = 3", "raise ValueError(x)")
    book.fail(limits=KEPT)
    book.write("x = 1", "y = 22", "z = 3", "print(x, y, z)")
    record = book.go_on()
    assert (record.first, record.same_kernel, record.ran) == (2, True, 3)
    assert book.printed(3) == "1 22 3\n"


@pytest.mark.slow
def test_it_starts_over_with_other_parameters(book: Book) -> None:
    book.write("print(x)", "1 / y", parameters="x = 1\ny = 0")
    book.fail(limits=KEPT, parameters={"x": 2})
    record = book.go_on(parameters={"x": 2, "y": 1})
    assert (record.first, record.ran, record.same_kernel) == (0, 3, False)
    assert book.said[0].startswith("-- it starts over")


@pytest.mark.slow
def test_what_was_done_once_is_not_done_again_in_a_fresh_kernel(book: Book) -> None:
    book.write(cell("x = open('done', 'a').write('x')", "once"), FAILS)
    book.fail()
    (book.folder / "go").touch()
    with pytest.raises(NotebookError, match="needs x of cell 1, and that is tagged `once`"):
        book.go_on()
    assert (book.folder / "done").read_text("utf-8") == "x"


@pytest.mark.slow
def test_it_can_go_on_again_and_again(book: Book) -> None:
    twice = "if 'go' not in globals(): go = 1; 1 / 0", "if go == 1: go = 2; 1 / 0"
    book.write("x = 1", *twice, "x")
    book.fail(limits=KEPT)
    before = read_before(book.target)
    again = book.fail(limits=KEPT, before=before)
    assert again.record.first == 2
    assert again.record.place.startswith("cell 3, ")
    assert book.go_on().first == 3


@pytest.mark.slow
def test_a_kernel_is_kept_only_for_a_while(book: Book) -> None:
    book.write("open('pid', 'w').write(str(__import__('os').getpid())); 1 / 0")
    for kept, forgotten in ((Limits(keep=1), False), (KEPT, True)):
        failed = book.fail(limits=kept)
        pid = (book.folder / "pid").read_text("utf-8")
        assert Path("/proc", pid).exists()
        assert failed.record.kept
        if forgotten:
            forget(failed.record.kept)
        gone = time.monotonic() + 5
        while Path("/proc", pid).exists():
            assert time.monotonic() < gone
            time.sleep(0.05)


@pytest.mark.slow
def test_a_busy_kernel_is_interrupted_and_kept(book: Book) -> None:
    book.write("x = 1; import os, time", "if not os.path.exists('go'): time.sleep(60)", "print(x)")
    book.fail(limits=Limits(cell=1, keep=60))
    (book.folder / "go").touch()
    assert book.go_on().same_kernel
    assert book.printed(2) == "1\n"


def test_what_is_left_of_a_failure_must_be_whole(book: Book) -> None:
    book.target.parent.mkdir()
    assert read_before(book.target) is None
    book.write("1")
    book.target.write_bytes((book.folder / "book.ipynb").read_bytes())
    for text in ("", "{}", "[]", json.dumps({"failed": 7})):
        (book.target.with_name("book.ipynb.kept.json")).write_text(text, encoding="utf-8")
        assert read_before(book.target) is None
