"""Whatever stands in a template, it is imported or refused in a sentence."""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from pipelinekit.kit.importing import import_file
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.tools.documents.document import JSON, parse
from pipelinekit.wire.templates.template import SHORT_FORMS
from tests.kit.test_importing import TEMPLATE

ODD: list[JSON] = [
    *(None, True, 0, -1, 1.5, "", "x", "****", [], {}, [1], [None]),
    *({"Ref": odd} for odd in ("X", "AWS::NoValue", 1, {}, "Branch", "Shop")),
    *({"Fn::If": odd} for odd in (1, [], ["A", 1, 2], ["A", {}, []])),
    *({"Fn::Join": odd} for odd in (["", []], [1, [{}]], "x")),
    *({"Fn::Sub": odd} for odd in ("${", "${A.B}", ["${a}", {"a": {}}], 1)),
    *({"Fn::Select": odd} for odd in ([0, []], ["a", ["b"]], [])),
    *({"Fn::Split": odd} for odd in (["", "a"], [",", []], {})),
    *({"Fn::GetAtt": odd} for odd in ("A", [], ["Role", {"Ref": "Branch"}], "Shop.Name")),
    *({"Fn::FindInMap": odd} for odd in (["a", "b", "c"], [{}, 1], [])),
    *({"Fn::ImportValue": {}}, {"Fn::GetAZs": []}, {"Fn::Base64": {}}, {"Condition": "x"}),
]


def paths(data: JSON, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    pairs = (
        data.items() if isinstance(data, dict) else enumerate(data if type(data) is list else ())
    )
    for key, value in pairs:
        yield from paths(value, (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_template_with_anything_in_it_is_imported_or_refused(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    whole = parse(TEMPLATE, "t.yaml", forms=SHORT_FORMS).data
    imported, refused = 0, []
    for _ in range(150):
        data = deepcopy(whole)
        *way, last = dice.choice([path for path in paths(data) if path])
        place = data
        for step in way:
            place = place[step]  # type: ignore[index,call-overload]  # it was found there
        place[last] = deepcopy(dice.choice(ODD))  # type: ignore[index,call-overload]  # likewise
        file = tmp_path / "t.json"
        file.write_text(json.dumps(data), encoding="utf-8")
        try:
            import_file(file).save(tmp_path / "out", force=True)
            imported += 1
        except PipelineKitError as error:
            refused.append(str(error))
    assert imported
    assert refused
    assert all(str(file) in told for told in refused)
