"""No id is given twice, whoever asks for it."""

import os
from concurrent.futures import ThreadPoolExecutor

from pipelinekit.runtime.clock import IDS, new_id

ASKERS = 8


def test_threads_that_ask_at_once_get_ids_of_their_own() -> None:
    with ThreadPoolExecutor(ASKERS) as askers:
        found = list(askers.map(lambda _: new_id(), range(ASKERS * IDS)))
    assert len({*found}) == len(found)


def test_a_child_gives_none_of_the_ids_of_its_parent() -> None:
    new_id()  # so that some are ready
    listen, tell = os.pipe()
    if os.fork() == 0:
        os.write(tell, " ".join(new_id() for _ in range(IDS)).encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(listen) as line:
        theirs = line.read().split()
    os.wait()
    assert len(theirs) == IDS
    assert not {*theirs} & {new_id() for _ in range(IDS)}
