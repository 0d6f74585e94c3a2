// A session with the AWS SDK for JavaScript that uses every operation at least once.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const sdk = await import(pathToFileURL(createRequire(process.argv[2] + "/").resolve("@aws-sdk/client-codepipeline")));
const client = new sdk.CodePipelineClient({});
const called = new Set();
const refused = [];

async function ask(operation, input = {}) {
  called.add(operation);
  return client.send(new sdk[`${operation}Command`](input));
}
async function no(operation, input) {
  try {
    await ask(operation, input);
  } catch (error) {
    refused.push(error.name);
    return;
  }
  throw new Error(`${operation} was not refused`);
}
async function wait(found) {
  for (let turn = 0; turn < 2400; turn += 1) {
    const value = await found();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("it did not come");
}
function time(value) {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw new Error(`no time: ${value}`);
}

const shelf = { category: "Source", provider: "Shelf", version: "1" };
const shelfId = { ...shelf, owner: "Custom" };
const shop = { pipelineName: "shop" };
const live = { ...shop, stageName: "Live" };

async function take() {
  const [job] = await wait(async () => {
    const { jobs } = await ask("PollForJobs", { actionTypeId: shelfId });
    return jobs.length ? jobs : null;
  });
  await ask("AcknowledgeJob", { jobId: job.id, nonce: job.nonce });
  return job.id;
}
async function deliver(revision) {
  const jobId = await take();
  await ask("GetJobDetails", { jobId });
  const currentRevision = { revision, changeIdentifier: revision, created: new Date() };
  await ask("PutJobSuccessResult", { jobId, currentRevision });
}
async function approve() {
  const token = await wait(async () => {
    const state = await ask("GetPipelineState", { name: "shop" });
    time(state.created);
    return state.stageStates[1].actionStates[0].latestExecution?.token;
  });
  const result = { status: "Approved", summary: "Looks good" };
  const { approvedAt } = await ask("PutApprovalResult", { ...live, actionName: "Ask", token, result });
  time(approvedAt);
}
async function start(ready) {
  const variables = [{ name: "ready", value: ready }];
  return (await ask("StartPipelineExecution", { name: "shop", variables })).pipelineExecutionId;
}
async function until(pipelineExecutionId, status) {
  await wait(async () => {
    const { pipelineExecution } = await ask("GetPipelineExecution", { ...shop, pipelineExecutionId });
    return pipelineExecution.status === status;
  });
}

const none = { minimumCount: 0, maximumCount: 0 };
const one = { minimumCount: 1, maximumCount: 1 };
await ask("CreateCustomActionType", { ...shelf, inputArtifactDetails: none, outputArtifactDetails: one });
await ask("ListActionTypes", { actionOwnerFilter: "Custom" });
await ask("ListRuleTypes");
await ask("CreatePipeline", { pipeline: JSON.parse(process.argv[3]) });
time((await ask("ListPipelines")).pipelines[0].created);
const { pipeline, metadata } = await ask("GetPipeline", { name: "shop" });
time(metadata.updated);
await ask("UpdatePipeline", { pipeline });
await deliver("r0");

const first = await start("yes");
await deliver("r1");
await approve();
await until(first, "Succeeded");
time((await ask("ListPipelineExecutions", shop)).pipelineExecutionSummaries[0].startTime);
const { actionExecutionDetails } = await ask("ListActionExecutions", shop);
time(actionExecutionDetails[0].lastUpdateTime);
await ask("ListDeployActionExecutionTargets", { actionExecutionId: actionExecutionDetails[0].actionExecutionId });

const second = await start("no");
await deliver("r2");
await until(second, "Failed");
time((await ask("ListRuleExecutions", shop)).ruleExecutionDetails[0].startTime);
await ask("OverrideStageCondition", { ...live, pipelineExecutionId: second, conditionType: "BEFORE_ENTRY" });
await approve();
await until(second, "Succeeded");

const third = await start("yes");
await ask("PutJobFailureResult", { jobId: await take(), failureDetails: { type: "JobFailed", message: "empty" } });
await until(third, "Failed");
await ask("RetryStageExecution", {
  ...shop, stageName: "Source", pipelineExecutionId: third, retryMode: "FAILED_ACTIONS",
});
await ask("DisableStageTransition", { ...live, transitionType: "Inbound", reason: "Freeze" });
await deliver("r3");
await ask("EnableStageTransition", { ...live, transitionType: "Inbound" });
await approve();
await until(third, "Succeeded");

const back = (await ask("RollbackStage", { ...live, targetPipelineExecutionId: first })).pipelineExecutionId;
await ask("StopPipelineExecution", { ...shop, pipelineExecutionId: back, abandon: true, reason: "Enough" });
await until(back, "Stopped");

const actionRevision = { revisionId: "r4", revisionChangeId: "r4", created: new Date() };
await ask("PutActionRevision", { ...shop, stageName: "Source", actionName: "Fetch", actionRevision });
await ask("PutWebhook", {
  webhook: {
    name: "hook", targetPipeline: "shop", targetAction: "Fetch", filters: [{ jsonPath: "$.ref" }],
    authentication: "GITHUB_HMAC", authenticationConfiguration: { SecretToken: "correct horse" },
  },
});
await ask("ListWebhooks");
await no("RegisterWebhookWithThirdParty", { webhookName: "hook" });
await ask("DeregisterWebhookWithThirdParty", { webhookName: "hook" });
const resourceArn = metadata.pipelineArn;
await ask("TagResource", { resourceArn, tags: [{ key: "stage", value: "trial" }] });
await ask("UntagResource", { resourceArn, tagKeys: ["stage"] });
await ask("ListTagsForResource", { resourceArn });

const partner = { category: "Build", owner: "ThirdParty", provider: "Oven", version: "1" };
const job = { jobId: "j", clientToken: "t" };
await no("PollForThirdPartyJobs", { actionTypeId: partner });
await no("AcknowledgeThirdPartyJob", { ...job, nonce: "n" });
await no("GetThirdPartyJobDetails", job);
await no("PutThirdPartyJobSuccessResult", job);
await no("PutThirdPartyJobFailureResult", { ...job, failureDetails: { type: "JobFailed", message: "m" } });
await no("GetActionType", partner);
await no("UpdateActionType", {
  actionType: {
    id: partner, executor: { type: "JobWorker", configuration: {} },
    inputArtifactDetails: one, outputArtifactDetails: one,
  },
});
await ask("DeleteWebhook", { name: "hook" });
await ask("DeletePipeline", { name: "shop" });
await ask("DeleteCustomActionType", shelf);
console.log(JSON.stringify({ called: [...called].sort(), refused }));
