"""Builds that are run again, as `on-failure: RETRY` asks for it."""

import json

import pytest

from tests.builds.sites import Site, phases

COUNT = 'echo x >> "$COUNTER"; n=$(wc -l < "$COUNTER"); echo "try $n"; test $n -ge 3'


def retried(word: str, command: str = COUNT) -> str:
    text = json.loads(phases(install=["touch mark"], build=[command], post_build=["touch posted"]))
    text["phases"]["build"]["on-failure"] = word
    text["phases"]["install"]["commands"].insert(0, "test ! -e mark")
    return json.dumps(text)


@pytest.mark.parametrize(
    ("word", "tries"),
    [
        ("RETRY", 3),
        ("RETRY-2", 3),
        ("RETRY-1", 2),
        ("RETRY-0", 1),
        ("RETRY-try \\d", 3),
        ("RETRY-5-^try 1$", 2),
        ("RETRY-.*exited with 1", 3),
        ("RETRY-no such words", 1),
    ],
)
def test_a_build_is_run_again_from_a_fresh_source(site: Site, word: str, tries: int) -> None:
    counter = site.folder / "counter"
    built = site.build(retried(word), env={"COUNTER": str(counter)})
    assert len(counter.read_text(encoding="utf-8").splitlines()) == tries
    assert sum("run again" in line for line in built.job.said) == tries - 1
    if tries == 3:
        assert built.succeeded.summary
    else:
        assert "of phase build exited with 1" in built.failed.message
        assert not (built.job.folder / "in/app/posted").exists()


def test_a_failure_is_matched_by_what_its_own_command_printed(site: Site) -> None:
    counter = site.folder / "counter"
    told = 'echo x >> "$COUNTER"; echo out of luck >&2'
    text = json.loads(phases(pre_build=[told], build=["echo other; false"]))
    text["phases"]["build"]["on-failure"] = "RETRY-out of luck"
    built = site.build(json.dumps(text), env={"COUNTER": str(counter)})
    assert built.failed.message
    assert counter.read_text(encoding="utf-8") == "x\n"


def test_a_phase_asks_for_a_retry_whatever_failed_before_it(site: Site) -> None:
    counter = site.folder / "counter"
    text = json.loads(phases(pre_build=["false"], build=[COUNT]))
    text["phases"]["pre_build"]["on-failure"] = "CONTINUE"
    text["phases"]["build"]["on-failure"] = "RETRY-1"
    built = site.build(json.dumps(text), env={"COUNTER": str(counter)})
    assert "of phase build" in built.failed.message
    assert len(counter.read_text(encoding="utf-8").splitlines()) == 2


def test_what_is_printed_is_in_the_log_in_its_order(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    site.build(retried("RETRY-never", "echo one; echo two >&2; printf three; false"))
    assert capfd.readouterr().out == "one\ntwo\nthree"
