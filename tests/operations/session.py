"""A session with boto3 that uses every operation at least once, as a script of people would."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.operations.declarations import Json, approval, kind, pipeline, source, stage

SHELF = {"category": "Source", "provider": "Shelf", "version": "1"}
SHELF_ID = {**SHELF, "owner": "Custom"}
NONE = {"minimumCount": 0, "maximumCount": 0}
ONE = {"minimumCount": 1, "maximumCount": 1}
PATIENCE = 120.0
PARTNER = {"category": "Build", "owner": "ThirdParty", "provider": "Oven", "version": "1"}


def counted(client: Any) -> Counter[str]:
    """Count the operations that a client calls."""
    calls: Counter[str] = Counter()
    client.meta.events.register(
        "before-call.codepipeline", lambda model, **_: calls.update([model.name])
    )
    return calls


class Session:
    """Somebody at work with a client, who is the job worker too."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.refusals: list[str] = []

    def run(self) -> None:
        """Do everything that can be done."""
        self.define()
        first = self.through("r1", "yes")
        self.look(first)
        self.override()
        self.retry()
        self.roll_back(first)
        self.hooks_and_tags()
        self.partners()
        self.clean_up()

    def define(self) -> None:
        """Make a custom type and a pipeline of it."""
        client = self.client
        client.create_custom_action_type(
            **SHELF, inputArtifactDetails=NONE, outputArtifactDetails=ONE
        )
        client.list_action_types(actionOwnerFilter="Custom")
        client.list_rule_types()
        client.create_pipeline(pipeline=declared())
        client.list_pipelines()
        current = client.get_pipeline(name="shop")["pipeline"]
        client.update_pipeline(pipeline=current)
        self.deliver("r0")  # of the first version, whose execution is cancelled now

    def start(self, ready: str) -> str:
        """Start an execution."""
        variables = [{"name": "ready", "value": ready}]
        started = self.client.start_pipeline_execution(name="shop", variables=variables)
        return str(started["pipelineExecutionId"])

    def take(self) -> str:
        """Wait for a job and acknowledge it."""
        poll = lambda: self.client.poll_for_jobs(actionTypeId=SHELF_ID)["jobs"]  # noqa: E731
        (job,) = wait(poll)
        self.client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
        return str(job["id"])

    def deliver(self, revision: str) -> None:
        """Do a job well."""
        job = self.take()
        self.client.get_job_details(jobId=job)
        self.client.put_job_success_result(
            jobId=job, currentRevision={"revision": revision, "changeIdentifier": revision}
        )

    def approve(self) -> None:
        """Approve what waits."""
        ask = lambda: self._asked().get("token")  # noqa: E731
        self.client.put_approval_result(
            pipelineName="shop",
            stageName="Live",
            actionName="Ask",
            token=wait(ask),
            result={"status": "Approved", "summary": "Looks good"},
        )

    def through(self, revision: str, ready: str) -> str:
        """Bring an execution to its end."""
        run = self.start(ready)
        self.deliver(revision)
        self.approve()
        self.until(run, "Succeeded")
        return run

    def look(self, run: str) -> None:
        """Look at what happened."""
        client, of_shop = self.client, {"pipelineName": "shop"}
        client.list_pipeline_executions(**of_shop)
        details = client.list_action_executions(**of_shop, filter={"pipelineExecutionId": run})
        action = details["actionExecutionDetails"][0]["actionExecutionId"]
        client.list_rule_executions(**of_shop)
        client.list_deploy_action_execution_targets(**of_shop, actionExecutionId=action)

    def override(self) -> None:
        """Let an execution in that a condition keeps out."""
        run = self.start("no")
        self.deliver("r2")
        self.until(run, "Failed")
        self.client.override_stage_condition(
            pipelineName="shop",
            stageName="Live",
            pipelineExecutionId=run,
            conditionType="BEFORE_ENTRY",
        )
        self.approve()
        self.until(run, "Succeeded")

    def retry(self) -> None:
        """Fail, retry, and be held at a switch."""
        client, run = self.client, self.start("yes")
        failure = {"type": "JobFailed", "message": "The shelf is empty"}
        client.put_job_failure_result(jobId=self.take(), failureDetails=failure)
        self.until(run, "Failed")
        client.retry_stage_execution(
            pipelineName="shop",
            stageName="Source",
            pipelineExecutionId=run,
            retryMode="FAILED_ACTIONS",
        )
        live = {"pipelineName": "shop", "stageName": "Live", "transitionType": "Inbound"}
        client.disable_stage_transition(**live, reason="Freeze")
        self.deliver("r3")
        client.enable_stage_transition(**live)
        self.approve()
        self.until(run, "Succeeded")

    def roll_back(self, to: str) -> None:
        """Go back, and stop half-way."""
        back = self.client.rollback_stage(
            pipelineName="shop", stageName="Live", targetPipelineExecutionId=to
        )["pipelineExecutionId"]
        self.client.stop_pipeline_execution(
            pipelineName="shop", pipelineExecutionId=back, abandon=True, reason="Enough"
        )
        self.until(back, "Stopped")

    def hooks_and_tags(self) -> None:
        """Put a revision, a webhook and tags."""
        client = self.client
        revision = {"revisionId": "r4", "revisionChangeId": "r4", "created": 1_700_000_000}
        client.put_action_revision(
            pipelineName="shop", stageName="Source", actionName="Fetch", actionRevision=revision
        )
        hook = {
            "name": "hook",
            "targetPipeline": "shop",
            "targetAction": "Fetch",
            "filters": [{"jsonPath": "$.ref"}],
            "authentication": "GITHUB_HMAC",
            "authenticationConfiguration": {"SecretToken": "correct horse"},
        }
        client.put_webhook(webhook=hook)
        client.list_webhooks()
        self.no(client.register_webhook_with_third_party, webhookName="hook")
        client.deregister_webhook_with_third_party(webhookName="hook")
        arn = client.get_pipeline(name="shop")["metadata"]["pipelineArn"]
        client.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "trial"}])
        client.untag_resource(resourceArn=arn, tagKeys=["stage"])
        client.list_tags_for_resource(resourceArn=arn)

    def partners(self) -> None:
        """Ask what only partners of AWS's marketplace ask."""
        client, job = self.client, {"jobId": "j", "clientToken": "t"}
        failure = {"type": "JobFailed", "message": "no"}
        details = {"minimumCount": 0, "maximumCount": 1}
        declaration = {
            "id": PARTNER,
            "executor": {"type": "JobWorker", "configuration": {}},
            "inputArtifactDetails": details,
            "outputArtifactDetails": details,
        }
        self.no(client.poll_for_third_party_jobs, actionTypeId=PARTNER)
        self.no(client.acknowledge_third_party_job, **job, nonce="n")
        self.no(client.get_third_party_job_details, **job)
        self.no(client.put_third_party_job_success_result, **job)
        self.no(client.put_third_party_job_failure_result, **job, failureDetails=failure)
        self.no(client.get_action_type, **PARTNER)
        self.no(client.update_action_type, actionType=declaration)

    def clean_up(self) -> None:
        """Delete everything."""
        self.client.delete_webhook(name="hook")
        self.client.delete_pipeline(name="shop")
        self.client.delete_custom_action_type(**SHELF)

    def until(self, run: str, status: str) -> None:
        """Wait until an execution stands somewhere."""
        asked = {"pipelineName": "shop", "pipelineExecutionId": run}
        read = self.client.get_pipeline_execution
        wait(lambda: read(**asked)["pipelineExecution"]["status"] == status)

    def no(self, call: Callable[..., object], **asked: object) -> None:
        """Ask what is refused."""
        try:
            call(**asked)
        except self.client.exceptions.ClientError as error:
            self.refusals.append(error.response["Error"]["Code"])

    def _asked(self) -> Json:
        states = self.client.get_pipeline_state(name="shop")["stageStates"]
        found: Json = states[1]["actionStates"][0].get("latestExecution", {})
        return found


def declared() -> Json:
    """Declare a pipeline of a source that a worker serves, and an approval behind a condition."""
    rule = {
        "name": "Ready",
        "ruleTypeId": {
            "category": "Rule",
            "owner": "AWS",
            "provider": "VariableCheck",
            "version": "1",
        },
        "configuration": {"Variable": "#{variables.ready}", "Value": "yes", "Operator": "EQ"},
    }
    gate = {"conditions": [{"result": "FAIL", "rules": [rule]}]}
    made = pipeline(
        stage("Live", approval(), beforeEntry=gate),
        variables=[{"name": "ready", "defaultValue": "no"}],
    )
    made["stages"][0]["actions"] = [source(actionTypeId=kind("Source", "Shelf"))]
    return made


def wait(found: Callable[[], Any]) -> Any:
    """Wait until something is found."""
    limit = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.05)
    return value
