"""Notebooks in real kernels: what they see, what comes of them, and how they fail."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from pipelinekit.tools.notebooks import Caps, Limits, NotebookError, scraps
from pipelinekit.tools.notebooks.kernels import look
from tests.tools.notebooks.books import Book, cell

pytestmark = pytest.mark.slow


def test_cells_are_executed_with_their_parameters_and_told_one_by_one(book: Book) -> None:
    book.write("print(x, word)", "x + 1", "", parameters="x = 1\nword = ''")
    record = book.run(parameters={"x": 3, "word": "hi"})
    assert (record.cells, record.ran) == (3, 3)
    assert book.said == [
        "-- cell 1 of 3: x = 1",
        "-- the parameters that were put in",
        "-- cell 2 of 3: print(x, word)",
        "3 hi",
        "-- cell 3 of 3: x + 1",
    ]
    assert book.outputs(3)[0]["data"]["text/plain"] == ["4"]


def test_the_kernel_has_the_folder_and_the_variables_of_its_borrower(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", "mine")
    monkeypatch.delenv("HOME", raising=False)
    book.write(
        "import os; print(os.getcwd()); print(os.environ['SHOP'], os.environ['PIPELINEKIT_ROW'])",
        "print(sorted(set(os.environ) & {'HOME', 'JPY_PARENT_PID'}))",
        "import beside; print(beside.x)",
        "import subprocess; print(subprocess.check_output('pwd; echo $PIPELINEKIT_ROW', "
        "shell=True, text=True))",
    )
    (book.folder / "beside.py").write_text("x = 'imported'", encoding="utf-8")
    for row in ("1", "2"):
        book.run(environment={"PIPELINEKIT_ROW": row})
        assert book.printed(0) == f"{book.folder}\nmine {row}\n"
        assert book.printed(1) == "[]\n"
        assert book.printed(2) == "imported\n"
        assert book.printed(3) == f"{book.folder}\n{row}\n\n"


def test_a_variable_that_is_set_anew_is_seen_by_a_kernel_that_starts(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.write("import sys; print(sys.flags.hash_randomization, hash('x'))")
    seen = set()
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        book.run()
        seen.add(book.printed(0))
    assert len(seen) == 2


def test_no_kernel_is_used_twice(book: Book) -> None:
    book.write("import os; print(os.getpid(), 'left' in globals()); left = 1")
    pids = set()
    for _ in range(4):
        book.run()
        pid, left = book.printed(0).split()
        assert left == "False"
        pids.add(pid)
    assert len(pids) == 4
    gone = time.monotonic() + 5
    while any(Path("/proc", pid).exists() for pid in pids):
        assert time.monotonic() < gone, "a kernel lives on"
        time.sleep(0.05)


def test_a_kernel_that_was_started_ahead_is_lent(book: Book) -> None:
    book.write("1")
    book.run()
    wanted = time.monotonic() + 10
    while not look()["waiting"] and time.monotonic() < wanted:
        time.sleep(0.05)
    assert book.run().warm


def test_files_that_are_not_closed_and_functions_at_the_end_are_not_lost(book: Book) -> None:
    book.write(
        "import atexit, threading, time",
        "file = open('open.txt', 'w'); file.write('all'); None",
        "atexit.register(lambda: open('atexit.txt', 'w').write('done')); None",
        "def late():\n    time.sleep(0.5); open('thread.txt', 'w').write('late')",
        "threading.Thread(target=late).start()",
    )
    book.run()
    texts = [(book.folder / f"{name}.txt").read_text("utf-8") for name in ("open", "atexit")]
    assert texts == ["all", "done"]
    assert (book.folder / "thread.txt").read_text("utf-8") == "late"


def test_notebooks_run_side_by_side_each_in_its_own_folder(tmp_path: Path) -> None:
    books = []
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        books.append(Book(tmp_path / str(number)))
        books[-1].write("import os", "print(os.getcwd(), x)", parameters="x = 0")
    threads = [
        threading.Thread(target=each.run, kwargs={"parameters": {"x": number}})
        for number, each in enumerate(books)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told = [each.printed(3) for each in books]
    assert told == [f"{tmp_path / str(number)} {number}\n" for number in range(4)]


FAILING = [
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("x = ", "SyntaxError"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("input('name? ')", "it asks for input, and nobody is there to answer; take a parameter"),
    ("import getpass; getpass.getpass()", "it asks for input, and nobody is there"),
    ("import os; os._exit(3)", "the kernel died: it ended with exit code 3"),
    ("import os; os.kill(os.getpid(), 9)", "was killed, perhaps for want of memory"),
    ("import os; os.kill(os.getpid(), 11)", "the kernel died: it was ended by signal 11"),
]


@pytest.mark.parametrize(("source", "words"), FAILING)
def test_whatever_ends_a_cell_is_a_failure_at_once(book: Book, source: str, words: str) -> None:
    book.write("print('before')", source, "print('after')")
    began = time.monotonic()
    failed = book.fail()
    assert words in str(failed)
    assert str(failed).startswith(f"cell 2, `{source.strip()}")
    assert time.monotonic() - began < 30
    cells = json.loads(book.text)["cells"]
    status = [each["metadata"]["papermill"].get("status") for each in cells if "outputs" in each]
    assert status == ["completed", "failed", "pending"]
    assert "after" not in book.said


def test_a_command_that_reads_finds_nothing_to_read(book: Book) -> None:
    book.write("import subprocess; print(repr(subprocess.check_output(['cat'])))", "!cat")
    book.run(limits=Limits(cell=20))
    assert book.printed(0) == "b''\n"


def test_a_dead_kernel_is_noticed_in_a_moment(book: Book) -> None:
    book.write("import os, time; open('pid', 'w').write(str(os.getpid()))", "time.sleep(60)")
    died: list[float] = []

    def kill() -> None:
        file = book.folder / "pid"
        while not file.exists() or not file.read_text("utf-8"):
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(int(file.read_text("utf-8")), 9)
        died.append(time.monotonic())

    thread = threading.Thread(target=kill)
    thread.start()
    failed = book.fail()
    assert time.monotonic() - died[0] < 2
    assert "the kernel died" in str(failed)
    thread.join()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(cell=3), "it did not end within 3 seconds"),
        (Limits(notebook=3), "the 3 seconds of the notebook are over"),
        (Limits(notebook=3, cell=50), "the 3 seconds of the notebook are over"),
    ],
)
def test_a_cell_and_a_notebook_may_take_only_so_long(
    book: Book, limits: Limits, words: str
) -> None:
    book.write("import time", "time.sleep(60)", "print('after')")
    began = time.monotonic()
    assert words in str(book.fail(limits=limits))
    assert time.monotonic() - began < 30
    assert "after" not in book.said


def test_much_output_is_cut_with_a_word(book: Book) -> None:
    lines = "for row in range(100_000): print('x' * 99)"
    book.write(lines, "print('next')", "'y' * 20_000_000")
    book.run(caps=Caps(kept=1_000_000))
    printed = book.printed(0)
    assert 900_000 < len(printed) < 1_010_000
    assert printed.endswith("[output cut here: a cell may keep 1 MB]\n")
    assert book.printed(1) == "next\n"
    assert len(book.text) < 1_200_000
    assert book.outputs(2)[0]["data"]["text/plain"] == ["[output cut here: a cell may keep 1 MB]"]


GIGABYTE = ["print('x' * 1_000_000_000)", "'x' * 1_000_000_000", "while True: print('x' * 9999)"]


@pytest.mark.parametrize("source", GIGABYTE)
def test_a_gigabyte_of_output_is_a_failure_and_does_not_fill_the_disk(
    book: Book, source: str
) -> None:
    book.write(source, "print('after')")
    failed = book.fail(caps=Caps(kept=1_000_000, most=100_000_000))
    assert "it put out more than 100 MB, and was ended" in str(failed)
    assert len(book.text) < 1_200_000
    assert "after" not in book.said


def test_an_unknown_kernel_is_told_with_those_that_are_there(book: Book) -> None:
    book.write("1")
    with pytest.raises(NotebookError, match="the kernel 'cobol', and the kernels here are"):
        book.run(kernel="cobol")


def test_a_kernel_that_cannot_start_tells_what_it_printed(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = book.folder / "share" / "kernels" / "broken"
    place.mkdir(parents=True)
    spec = {
        "argv": ["python", "-c", "raise SystemExit('no such module')", "{connection_file}"],
        "display_name": "Broken",
        "language": "python",
    }
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(book.folder / "share"))
    book.write("1")
    with pytest.raises(NotebookError, match="broken did not start: no such module"):
        book.run(kernel="broken")


def test_a_program_that_is_missing_is_told(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    place = book.folder / "share" / "kernels" / "gone"
    place.mkdir(parents=True)
    spec = {"argv": ["/no/such/program"], "display_name": "Gone", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(book.folder / "share"))
    book.write("1")
    with pytest.raises(NotebookError, match="see whether `/no/such/program` can be run"):
        book.run(kernel="gone")


def test_a_path_with_braces_is_taken_literally(tmp_path: Path) -> None:
    folder = tmp_path / "{x} {{y}}"
    folder.mkdir()
    book = Book(folder)
    book.write("1", parameters="x = 1")
    book.run(parameters={"x": 2})
    assert book.target.is_file()


def test_a_cell_that_may_fail_fails_the_notebook_at_its_end_as_with_papermill(book: Book) -> None:
    book.write(cell("1 / 0", "raises-exception"), cell("x", "skip-execution"), "print('on')")
    assert str(book.fail()).startswith("cell 1, `1 / 0`: ZeroDivisionError")
    assert book.said[-1] == "on"
    sources = (cell("1 / x", "raises-exception"), "print('on')")
    book.write(*sources, parameters="x = 1")
    assert str(book.fail(parameters={"x": 0})).startswith("cell 2, `1 / x`: ZeroDivisionError")


REFUSING = """\
def refusing(lines):
    if lines[0].startswith("# Parameters"):
        raise SyntaxError("no 3 here")
    return lines
get_ipython().input_transformers_post.append(refusing)
"""


def test_a_failure_in_the_parameters_that_were_put_in_is_told_as_such(book: Book) -> None:
    book.write("print(x)", parameters=f"x = 1\n{REFUSING}")
    failed = book.fail(parameters={"x": 3})
    assert str(failed).startswith("the parameters that were put in: ")
    assert "no 3 here" in str(failed)


def test_a_cell_of_parameters_that_the_author_has_counts(book: Book) -> None:
    book.write("x = 1", cell("x = 2", "injected-parameters"), "1 / x")
    assert book.run().cells == 3
    assert str(book.fail(parameters={"x": 0})).startswith("cell 3, `1 / x`: ZeroDivisionError")


def test_what_a_notebook_hands_out_is_read(book: Book) -> None:
    book.write(
        "import pipelinekit as pk",
        "pk.output('rows', 7); pk.output('word', 'hi'); pk.output('list', [1])",
        "from IPython.display import display\n"
        "display({'application/scrapbook.scrap.json+json': "
        "{'name': 'glued', 'data': 1, 'encoder': 'json', 'version': 1}}, raw=True)",
    )
    book.run()
    assert scraps(book.target) == {"rows": 7, "word": "hi", "list": [1], "glued": 1}
