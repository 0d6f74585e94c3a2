"""What is said of a column holds, whatever happens to a pipeline."""

from collections.abc import Mapping

import pytest

from pipelinekit.engine import decide as deciding
from pipelinekit.engine.draft import Decision
from pipelinekit.model.event import Event
from pipelinekit.model.state import State
from pipelinekit.store.schema import TABLES, Value, columns
from tests.engine import table
from tests.engine.dice import play
from tests.engine.schedule import draw

SEEDS = range(60)


def test_a_fixed_column_is_never_another_for_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[tuple[object, ...], Mapping[str, Value]] = {}
    changed = 0

    def decide(state: State, event: Event) -> Decision:
        nonlocal changed
        decision = deciding.decide(state, event)
        if decision.deleted:
            known.clear()
        for row in decision.rows:
            of, values = TABLES[type(row)].table, columns(row)
            key = (of.name, *(values[name] for name in of.keys))
            fixed = {each.name: values[each.name] for each in of.columns if each.fixed}
            changed += key in known
            assert known.setdefault(key, fixed) == fixed
        return decision

    monkeypatch.setattr(table, "decide", decide)
    for seed in SEEDS:
        known.clear()
        play(draw(seed))
    assert changed > 1_000
