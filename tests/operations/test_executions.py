"""Executions started, stopped, read and listed through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

import pipelinekit as pk
from pipelinekit.model.deploytarget import DeployTarget, TargetEvent
from tests.operations.conftest import action_state, newest, stage_state, until
from tests.operations.declarations import approval, kind, pipeline, source, stage, test, usual

SHIPPED, SECOND = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), timedelta(seconds=1)


@pk.action("Deploy", "ApiShip")
def ship(job: pk.Job) -> pk.Outcome:
    """Tell of five targets, of which two failed and the last was not tried."""
    del job
    fine = (TargetEvent("Install", "Succeeded", SHIPPED, 1.0),)
    wrong = (TargetEvent("Install", "Failed", SHIPPED, 1.0, "no space"),)
    tried = [
        DeployTarget(f"/srv/{number}", "FolderTarget", *how)
        for number, how in enumerate([("Succeeded", fine), ("Failed", wrong)] * 2)
    ]
    return pk.Succeeded(targets=(*tried, DeployTarget("/srv/4", "FolderTarget", "Skipped")))


def test_the_first_execution_waits_for_the_approval(client: Any, shop: str) -> None:
    asked = until(lambda: _summed_up(client))
    assert asked["status"] == "InProgress"
    assert asked["summary"] == "Waiting for approval"
    state = stage_state(client, "Live", shop)
    assert state["inboundTransitionState"] == {"enabled": True}
    assert state["latestExecution"]["status"] == "InProgress"
    assert stage_state(client, "Test", shop)["latestExecution"]["status"] == "Succeeded"


def _summed_up(client: Any) -> Any:
    state = action_state(client, "Live", "Ask")
    return state if "summary" in state else None


def test_an_approval_ends_the_execution(client: Any, shop: str) -> None:
    token = action_state(client, "Live", "Ask")["token"]
    given = {"pipelineName": shop, "stageName": "Live", "actionName": "Ask", "token": token}
    yes = {"status": "Approved", "summary": "go"}
    assert client.put_approval_result(**given, result=yes)["approvedAt"].year > 2000
    until(lambda: newest(client)["status"] == "Succeeded")
    state = action_state(client, "Live", "Ask")
    assert (state["status"], state["summary"]) == ("Succeeded", "go")
    assert state["lastUpdatedBy"] in {"ann", "ben"}
    assert "token" not in state
    with pytest.raises(client.exceptions.ApprovalAlreadyCompletedException):
        client.put_approval_result(**given, result=yes)
    with pytest.raises(client.exceptions.InvalidApprovalTokenException):
        client.put_approval_result(**{**given, "token": str(uuid4())}, result=yes)
    with pytest.raises(client.exceptions.ActionNotFoundException):
        client.put_approval_result(**{**given, "actionName": "Nobody"}, result=yes)
    with pytest.raises(client.exceptions.StageNotFoundException):
        client.put_approval_result(**{**given, "stageName": "Nobody"}, result=yes)


def test_a_rejection_fails_the_stage_and_a_retry_asks_again(client: Any, shop: str) -> None:
    token = action_state(client, "Live", "Ask")["token"]
    no = {"status": "Rejected", "summary": "not today"}
    client.put_approval_result(
        pipelineName=shop, stageName="Live", actionName="Ask", token=token, result=no
    )
    until(lambda: newest(client)["status"] == "Failed")
    run = newest(client)["pipelineExecutionId"]
    assert action_state(client, "Live", "Ask")["errorDetails"]["message"]
    again = client.retry_stage_execution(
        pipelineName=shop, stageName="Live", pipelineExecutionId=run, retryMode="FAILED_ACTIONS"
    )
    assert again["pipelineExecutionId"] == run
    asked = until(lambda: action_state(client, "Live", "Ask").get("token"))
    assert asked != token
    metadata = stage_state(client, "Live")["retryStageMetadata"]
    assert metadata == {"manualStageRetryAttempt": 1, "latestRetryTrigger": "ManualStageRetry"}


def test_an_execution_is_read_with_its_variables_and_what_started_it(client: Any) -> None:
    variables = [{"name": "level", "defaultValue": "info"}, {"name": "target"}]
    client.create_pipeline(pipeline=usual(variables=variables))
    with pytest.raises(client.exceptions.ValidationException, match="target"):
        client.start_pipeline_execution(name="shop")
    run = client.start_pipeline_execution(
        name="shop", variables=[{"name": "target", "value": "blue"}]
    )["pipelineExecutionId"]
    told = client.get_pipeline_execution(pipelineName="shop", pipelineExecutionId=run)
    execution = told["pipelineExecution"]
    found = {each["name"]: each["resolvedValue"] for each in execution["variables"]}
    assert found == {"level": "info", "target": "blue"}
    assert execution["trigger"]["triggerType"] == "StartPipelineExecution"
    assert execution["pipelineVersion"] == 1


def test_the_same_request_token_gives_the_same_execution(client: Any, shop: str) -> None:
    first = client.start_pipeline_execution(name=shop, clientRequestToken="t-1")
    again = client.start_pipeline_execution(name=shop, clientRequestToken="t-1")
    assert first["pipelineExecutionId"] == again["pipelineExecutionId"]


def test_an_execution_of_another_pipeline_is_not_found(client: Any, shop: str) -> None:
    client.create_pipeline(pipeline=usual(name="other"))
    run = newest(client, "other")["pipelineExecutionId"]
    with pytest.raises(client.exceptions.PipelineExecutionNotFoundException):
        client.get_pipeline_execution(pipelineName=shop, pipelineExecutionId=run)
    with pytest.raises(client.exceptions.PipelineNotFoundException):
        client.get_pipeline_execution(pipelineName="nobody", pipelineExecutionId=run)
    with pytest.raises(client.exceptions.ValidationException, match="regular expression"):
        client.get_pipeline_execution(pipelineName=shop, pipelineExecutionId="x")


def test_an_execution_is_stopped_once(client: Any, shop: str) -> None:
    run = newest(client)["pipelineExecutionId"]
    asked = {"pipelineName": shop, "pipelineExecutionId": run}
    assert client.stop_pipeline_execution(**asked, reason="lunch")["pipelineExecutionId"] == run
    with pytest.raises(client.exceptions.DuplicatedStopRequestException):
        client.stop_pipeline_execution(**asked, reason="again")
    client.stop_pipeline_execution(**asked, abandon=True, reason="now")
    until(lambda: newest(client)["status"] == "Stopped")
    assert newest(client)["stopTrigger"] == {"reason": "now"}
    assert action_state(client, "Live", "Ask")["status"] == "Abandoned"
    with pytest.raises(client.exceptions.PipelineExecutionNotStoppableException):
        client.stop_pipeline_execution(**asked)


def test_executions_are_listed_newest_first_page_by_page(client: Any, shop: str) -> None:
    ids = [newest(client)["pipelineExecutionId"]]
    ids += [client.start_pipeline_execution(name=shop)["pipelineExecutionId"] for _ in range(4)]
    pager = client.get_paginator("list_pipeline_executions")
    pages = list(pager.paginate(pipelineName=shop, PaginationConfig={"PageSize": 2}))
    found = [
        each["pipelineExecutionId"] for p in pages for each in p["pipelineExecutionSummaries"]
    ]
    assert (len(pages), found) == (3, ids[::-1])


def test_only_executions_that_succeeded_in_a_stage_are_listed_on_demand(client: Any) -> None:
    client.create_pipeline(pipeline=pipeline(stage("Test", test())))
    until(lambda: newest(client)["status"] == "Succeeded")
    asked = {"succeededInStage": {"stageName": "Test"}}
    listed = client.list_pipeline_executions(pipelineName="shop", filter=asked)
    assert len(listed["pipelineExecutionSummaries"]) == 1
    asked = {"succeededInStage": {"stageName": "Nobody"}}
    listed = client.list_pipeline_executions(pipelineName="shop", filter=asked)
    assert listed["pipelineExecutionSummaries"] == []


def test_action_executions_tell_their_input_and_output(client: Any) -> None:
    declared = test(configuration={"Wanted": "hello"}, namespace="found")
    client.create_pipeline(pipeline=pipeline(stage("Test", declared)))
    until(lambda: newest(client)["status"] == "Succeeded")
    details = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    assert [each["actionName"] for each in details] == ["Look", "Fetch"]
    looked = details[0]
    assert looked["input"]["resolvedConfiguration"] == {"Wanted": "hello"}
    assert looked["input"]["inputArtifacts"][0]["s3location"]["bucket"] == "shop-artifacts"
    assert looked["output"]["outputVariables"] == {"Found": "hello"}
    assert looked["startTime"] <= looked["lastUpdateTime"]


def test_action_executions_are_filtered_by_execution_and_by_attempt(
    client: Any, shop: str
) -> None:
    """3.9.6: latestInPipelineExecution filters the attempts of an action."""
    token = action_state(client, "Live", "Ask")["token"]
    no = {"status": "Rejected", "summary": ""}
    client.put_approval_result(
        pipelineName=shop, stageName="Live", actionName="Ask", token=token, result=no
    )
    run = until(lambda: newest(client)["status"] == "Failed" and newest(client))
    run_id = run["pipelineExecutionId"]
    client.retry_stage_execution(
        pipelineName=shop, stageName="Live", pipelineExecutionId=run_id, retryMode="ALL_ACTIONS"
    )

    def names(**asked: Any) -> list[str]:
        told = client.list_action_executions(pipelineName=shop, filter=asked)
        return [each["actionName"] for each in told["actionExecutionDetails"]]

    assert names(pipelineExecutionId=run_id) == ["Ask", "Ask", "Look", "Fetch"]
    latest = {"pipelineExecutionId": run_id, "startTimeRange": "Latest"}
    assert names(latestInPipelineExecution=latest) == ["Ask", "Look", "Fetch"]
    with pytest.raises(client.exceptions.PipelineExecutionNotFoundException):
        names(pipelineExecutionId=str(uuid4()))
    with pytest.raises(client.exceptions.ValidationException):
        names(pipelineExecutionId=run_id, latestInPipelineExecution=latest)


def test_other_actions_have_no_targets_and_unknown_ones_are_not_found(
    client: Any, shop: str
) -> None:
    details = client.list_action_executions(pipelineName=shop)["actionExecutionDetails"]
    identity = details[0]["actionExecutionId"]
    told = client.list_deploy_action_execution_targets(
        pipelineName=shop, actionExecutionId=identity
    )
    assert told["targets"] == []
    with pytest.raises(client.exceptions.ActionExecutionNotFoundException):
        client.list_deploy_action_execution_targets(actionExecutionId=str(uuid4()))


def test_targets_of_a_deployment_are_filtered_and_come_in_pages(client: Any) -> None:
    """12.3, 12.5: by status, in the deployment's order, with the events at each."""
    live = stage("Live", {"name": "Ship", "actionTypeId": kind("Deploy", "ApiShip")})
    live["actions"][0]["inputArtifacts"] = [{"name": "Code"}]
    client.create_pipeline(pipeline=pipeline(live))
    until(lambda: newest(client)["status"] == "Succeeded")
    detail = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"][0]
    asked = {"pipelineName": "shop", "actionExecutionId": detail["actionExecutionId"]}

    def targets(**more: Any) -> list[str]:
        told = client.list_deploy_action_execution_targets(**asked, **more)
        return [each["targetId"] for each in told["targets"]]

    whole = client.list_deploy_action_execution_targets(**asked)["targets"]
    assert targets() == ["/srv/0", "/srv/1", "/srv/2", "/srv/3", "/srv/4"]
    assert (whole[0]["targetType"], whole[0]["status"]) == ("FolderTarget", "Succeeded")
    assert (whole[0]["startTime"], whole[0]["endTime"]) == (SHIPPED, SHIPPED + SECOND)
    event = whole[1]["events"][0]
    assert (event["name"], event["status"]) == ("Install", "Failed")
    assert event["context"] == {"message": "no space"}
    assert "startTime" not in whole[4]
    failures = [{"name": "TARGET_STATUS", "values": ["Failed", "Skipped"]}]
    assert targets(filters=failures) == ["/srv/1", "/srv/3", "/srv/4"]
    first = client.list_deploy_action_execution_targets(**asked, filters=failures, maxResults=2)
    assert [each["targetId"] for each in first["targets"]] == ["/srv/1", "/srv/3"]
    more = {"nextToken": first["nextToken"], "maxResults": 2}
    assert targets(filters=failures, **more) == ["/srv/4"]
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        targets(**more)
    with pytest.raises(client.exceptions.PipelineNotFoundException):
        client.list_deploy_action_execution_targets(**{**asked, "pipelineName": "none"})


def test_a_parallel_pipeline_has_no_state_and_tells_its_tokens_elsewhere(client: Any) -> None:
    """3.3, 3.4, C14: in PARALLEL mode the state tells nothing, and tokens stand elsewhere."""
    client.create_pipeline(pipeline=usual(executionMode="PARALLEL"))

    def asked() -> Any:
        told = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
        return next((each for each in told if each["actionName"] == "Ask"), None)

    detail = until(asked)
    assert "latestExecution" not in stage_state(client, "Live")
    token = detail["output"]["executionResult"]["externalExecutionId"]
    client.put_approval_result(
        pipelineName="shop",
        stageName="Live",
        actionName="Ask",
        token=token,
        result={"status": "Approved", "summary": ""},
    )
    until(lambda: newest(client)["status"] == "Succeeded")


def test_an_action_that_has_not_begun_again_shows_what_it_did_before(client: Any) -> None:
    """4: GetPipelineState keeps the previous latestExecution of an action."""
    client.create_pipeline(pipeline=pipeline(stage("Live", approval(), test(runOrder=2))))
    token = until(lambda: action_state(client, "Live", "Ask").get("token"))
    answered = {"pipelineName": "shop", "stageName": "Live", "actionName": "Ask", "token": token}
    yes = {"status": "Approved", "summary": ""}
    client.put_approval_result(**answered, result=yes)
    until(lambda: newest(client)["status"] == "Succeeded")
    before = action_state(client, "Live", "Look")
    client.start_pipeline_execution(name="shop")
    until(lambda: action_state(client, "Live", "Ask").get("token") not in {None, token})
    assert action_state(client, "Live", "Look") == before


def test_a_switch_is_turned_and_told(client: Any, shop: str) -> None:
    """3.4: inboundExecutions lists who waits in front of a stage."""
    asked = {"pipelineName": shop, "stageName": "Live", "transitionType": "Inbound"}
    client.disable_stage_transition(**asked, reason="freeze")
    switch = stage_state(client, "Live")["inboundTransitionState"]
    assert (switch["enabled"], switch["disabledReason"]) == (False, "freeze")
    run = client.start_pipeline_execution(name=shop)["pipelineExecutionId"]
    waiting = until(lambda: stage_state(client, "Live").get("inboundExecutions"))
    assert [each["pipelineExecutionId"] for each in waiting] == [run]
    client.enable_stage_transition(**asked)
    assert stage_state(client, "Live")["inboundTransitionState"]["enabled"]
    for operation in (client.enable_stage_transition, client.disable_stage_transition):
        more = {"reason": "x"} if operation == client.disable_stage_transition else {}
        with pytest.raises(client.exceptions.StageNotFoundException):
            operation(**{**asked, "stageName": "Nobody"}, **more)
        with pytest.raises(client.exceptions.PipelineNotFoundException):
            operation(**{**asked, "pipelineName": "nobody"}, **more)


def test_a_stage_is_rolled_back_in_a_new_execution(client: Any) -> None:
    client.create_pipeline(pipeline=pipeline(stage("Test", test())))
    until(lambda: newest(client)["status"] == "Succeeded")
    first = newest(client)["pipelineExecutionId"]
    client.start_pipeline_execution(name="shop")
    until(lambda: newest(client)["status"] == "Succeeded")
    asked = {"pipelineName": "shop", "stageName": "Test"}
    back = client.rollback_stage(**asked, targetPipelineExecutionId=first)["pipelineExecutionId"]
    until(lambda: newest(client)["status"] == "Succeeded")
    told = newest(client)
    assert (told["pipelineExecutionId"], told["executionType"]) == (back, "ROLLBACK")
    assert told["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert told["trigger"]["triggerType"] == "ManualRollback"
    with pytest.raises(client.exceptions.UnableToRollbackStageException):
        client.rollback_stage(
            pipelineName="shop", stageName="Source", targetPipelineExecutionId=first
        )


def test_a_condition_is_told_and_overridden(client: Any) -> None:
    """3.12: GetPipelineState tells the states of conditions and of their rules."""
    rule = {
        "name": "OnMain",
        "ruleTypeId": {
            "category": "Rule",
            "owner": "AWS",
            "provider": "VariableCheck",
            "version": "1",
        },
        "configuration": {"Variable": "#{src.CommitId}", "Value": "main", "Operator": "EQ"},
    }
    gate = {"conditions": [{"result": "FAIL", "rules": [rule]}]}
    client.create_pipeline(pipeline=pipeline(stage("Test", test(), beforeEntry=gate)))
    until(lambda: newest(client)["status"] == "Failed")
    state = stage_state(client, "Test")["beforeEntryConditionState"]
    assert state["latestExecution"]["status"] == "Failed"
    assert state["conditionStates"][0]["ruleStates"][0]["latestExecution"]["status"] == "Failed"
    rules = client.list_rule_executions(pipelineName="shop")["ruleExecutionDetails"]
    assert rules[0]["input"]["resolvedConfiguration"]["Variable"] == "c0ffee"
    run = newest(client)["pipelineExecutionId"]
    asked = {"pipelineName": "shop", "stageName": "Test", "pipelineExecutionId": run}
    with pytest.raises(client.exceptions.ConditionNotOverridableException):
        client.override_stage_condition(**asked, conditionType="ON_SUCCESS")
    client.override_stage_condition(**asked, conditionType="BEFORE_ENTRY")
    until(lambda: newest(client)["status"] == "Succeeded")
    state = stage_state(client, "Test")["beforeEntryConditionState"]
    assert state["latestExecution"]["status"] == "Overridden"


def test_a_revision_that_is_put_starts_the_pipeline_once(client: Any) -> None:
    client.create_pipeline(pipeline=pipeline(stage("Live", approval())))
    revision = {"revisionId": "r1", "revisionChangeId": "c1", "created": 1_700_000_000}
    asked = {"pipelineName": "shop", "stageName": "Source", "actionName": "Fetch"}
    told = client.put_action_revision(**asked, actionRevision=revision)
    assert told["newRevision"] is True
    again = client.put_action_revision(**asked, actionRevision=revision)
    assert again["newRevision"] is False
    assert again["pipelineExecutionId"] == told["pipelineExecutionId"]
    assert newest(client)["trigger"]["triggerType"] == "PutActionRevision"
    with pytest.raises(client.exceptions.ActionNotFoundException):
        client.put_action_revision(**{**asked, "actionName": "X"}, actionRevision=revision)
    with pytest.raises(client.exceptions.StageNotFoundException):
        client.put_action_revision(**{**asked, "stageName": "X"}, actionRevision=revision)


def test_source_revisions_are_told(client: Any) -> None:
    """3.1.7: an override has a type, such as COMMIT_ID."""
    client.create_pipeline(pipeline=usual())
    chosen = [{"actionName": "Fetch", "revisionType": "COMMIT_ID", "revisionValue": "abc123"}]
    client.start_pipeline_execution(name="shop", sourceRevisions=chosen)
    revisions = newest(client)["sourceRevisions"]
    assert revisions == [{"actionName": "Fetch", "revisionId": "abc123"}]
    assert source()["name"] == "Fetch"
