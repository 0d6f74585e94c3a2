"""Rules of conditions, as the API tells of them."""

from typing import Any

from tests.operations.conftest import newest, until
from tests.operations.declarations import Json, kind, pipeline, stage, test


def check(variable: str, value: str) -> Json:
    """Declare a condition whose only rule, always of one name, compares a variable."""
    rule = {
        "name": "Same",
        "ruleTypeId": kind("Rule", "VariableCheck", "AWS"),
        "configuration": {"Variable": variable, "Value": value, "Operator": "EQ"},
    }
    return {"conditions": [{"result": "FAIL", "rules": [rule]}]}


def test_rules_of_one_name_are_told_apart_by_their_conditions(client: Any) -> None:
    """12.3: configuration is that of the rule, resolvedConfiguration what became of it."""
    variables = [{"name": name, "defaultValue": f"value of {name}"} for name in ("a", "b")]
    checked = stage(
        "Test",
        test(),
        beforeEntry=check("#{variables.a}", "value of a"),
        onSuccess=check("#{variables.b}", "value of b"),
    )
    client.create_pipeline(pipeline=pipeline(checked, variables=variables))
    until(lambda: newest(client)["status"] == "Succeeded")
    listed = client.list_rule_executions(pipelineName="shop")["ruleExecutionDetails"]
    told = [
        (each["input"]["configuration"]["Variable"], each["input"]["resolvedConfiguration"])
        for each in listed
    ]
    assert told == [
        (f"#{{variables.{name}}}", {"Variable": value, "Value": value, "Operator": "EQ"})
        for name, value in (("b", "value of b"), ("a", "value of a"))
    ]
