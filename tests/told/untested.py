"""The rules of the reference that no test holds, each with the reason."""

_TRIGGERS = "here not implemented: triggers come later"
_AWS = (
    "here not implemented: there is no hand for this service, and a definition with it is refused"
)

UNTESTED: tuple[tuple[str, str, str], ...] = (
    ("3.1", "Polling and EventBridge rules start executions.", _TRIGGERS),
    (
        "3.2",
        "In PARALLEL mode CodeCommit, S3 and ECR take what is newest when the action starts.",
        _AWS,
    ),
    (
        "3.9.3",
        "A retry of a stage that the pipeline is busy with is a ConflictException.",
        "cannot happen: events are decided one after the other",
    ),
    (
        "3.11",
        "(e) A target was started on or after 2024-02-01.",
        "cannot happen: nothing ran here before",
    ),
    (
        "3.11",
        "A rollback of a busy pipeline is a ConflictException.",
        "cannot happen: events are decided one after the other",
    ),
    (
        "3.13",
        "After a change of mode the shown state is kept, emptied, or that of the other mode.",
        "not tested: what is shown is what the stages hold, whatever the mode was",
    ),
    (
        "3.13",
        "RestartExecutionOnUpdate starts an execution after an update.",
        "here not implemented: it is a property of CloudFormation",
    ),
    (
        "3.14",
        "Artifacts, custom action types and rules of EventBridge stay when a pipeline is deleted.",
        "not tested with the engine, which knows none of them",
    ),
    ("3.15", "Sources are polled where PollForSourceChanges is true or absent.", _TRIGGERS),
    ("3.15", "Polling is switched off after 30 days without an execution.", _TRIGGERS),
    ("3.15", "Polling and an event rule on one source make two executions per change.", _TRIGGERS),
    (
        "3.16",
        "A Lambda action that gives no sign of life for 20 minutes has failed.",
        "here not implemented: only the limit of 24 hours is held",
    ),
    ("3.16", "DeploymentTimeout may shorten a deployment to ECS.", _AWS),
    (
        "4",
        "A condition whose rule could not be run is Errored.",
        "here not implemented (UNVERIFIED in the reference): such a condition has Failed",
    ),
    (
        "4",
        "A job is Created, Queued, Dispatched, InProgress, then ended or TimedOut.",
        "here not implemented: it is Dispatched, InProgress, Succeeded or Failed",
    ),
    (
        "4",
        "The console shows Didn't Run for actions of skipped and stopped stages.",
        "here not implemented: there is no console",
    ),
    ("5.4", "Providers of AWS that do not run here give their fixed output variables.", _AWS),
    (
        "10",
        "A permission can be scoped to the ARN of the approval.",
        "here not implemented: no IAM",
    ),
    (
        "10",
        "A message goes to the topic of NotificationArn.",
        "here not implemented: there is no SNS, which the log says",
    ),
    ("C10", "PollForSourceChanges and DetectChanges are true while invisible.", _TRIGGERS),
    ("C12", "Exclude beats include; one accepted file is enough; 100 are inspected.", _TRIGGERS),
    ("C13", "Pull requests filter by the target and run on the source branch.", _TRIGGERS),
    (
        "C16",
        "Lambda actions have a heartbeat of 20 minutes.",
        "here not implemented: only the limit of 24 hours is held",
    ),
    ("C18", "Custom source actions never poll.", _TRIGGERS),
    ("C22", "Approvals and custom actions are free in V2; minutes are rounded up.", "comes later"),
)
"""Section, rule, and why no test holds it."""
