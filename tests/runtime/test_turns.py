"""One thread does several things by turns, each as far as it can."""

import threading

from pipelinekit.runtime.turns import give_way, take_turns


def test_who_does_nothing_else_goes_on_at_once() -> None:
    give_way()


def test_things_take_turns_until_all_have_ended() -> None:
    seen: list[str] = []

    def go(name: str, waits: int) -> None:
        for number in range(waits):
            seen.append(f"{name}{number}")
            give_way()
        seen.append(f"{name} ends")

    steps: list[int] = []
    things = [lambda: go("a", 2), lambda: go("b", 0), lambda: go("c", 1)]
    take_turns(things, lambda: steps.append(len(seen)))
    assert seen == ["a0", "b ends", "c0", "a1", "c ends", "a ends"]
    assert steps == [0, 1, 2, 2, 5, 6]


def test_who_gave_way_is_alone_again_afterwards_and_so_are_other_threads() -> None:
    seen: list[str] = []

    def elsewhere() -> None:
        give_way()
        seen.append("elsewhere")

    def begin() -> None:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        give_way()
        seen.append("here")

    take_turns([begin, lambda: seen.append("next")])
    give_way()
    assert seen == ["elsewhere", "next", "here"]
