"""What commands print comes into the log whole and in order, without secrets."""

import os
import subprocess
import sys

import pytest

from pipelinekit.builds.transcript import Transcript
from pipelinekit.tools.redact import Redactor

NOTHING = Redactor(())


def test_nothing_is_in_the_way_of_what_needs_no_care() -> None:
    with Transcript(NOTHING) as transcript:
        assert transcript.output is None
        assert transcript.printed() == ""


def test_a_secret_is_hidden_wherever_it_is_cut(capfd: pytest.CaptureFixture[str]) -> None:
    with Transcript(Redactor(["hunter22"])) as transcript:
        assert transcript.output is not None
        for chunk in (b"a hun", b"ter22 b", b"\nhunter2"):
            os.write(transcript.output, chunk)
            transcript.printed()
    assert capfd.readouterr().out == "a *** b\nhunter2"


def test_what_was_printed_is_remembered_once_and_from_its_end() -> None:
    shown: list[str] = []
    with Transcript(NOTHING, say=shown.append, listens=True) as transcript:
        many = f'{sys.executable} -c \'print("x\\n" * 200000); print("end")\''
        subprocess.run(["sh", "-c", many], stdout=transcript.output, check=True)
        printed = transcript.printed()
        assert transcript.printed() == ""
    assert printed.endswith("x\n\nend\n")
    assert len(printed) <= 64 * 1024
    assert len(shown) == 200_002


def test_lines_are_given_whole(capfd: pytest.CaptureFixture[str]) -> None:
    shown: list[str] = []
    with Transcript(NOTHING, say=shown.append) as transcript:
        assert transcript.output is not None
        for chunk in (b"one\nt", b"wo\nthree"):
            os.write(transcript.output, chunk)
            transcript.printed()
    assert shown == ["one", "two", "three"]
    assert capfd.readouterr().out == ""
