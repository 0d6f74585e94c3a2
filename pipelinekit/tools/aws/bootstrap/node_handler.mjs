// Calls a Node handler as Lambda's runtime does; the process ends with the handler.
//
// Standard input holds what to call, as JSON; the file that is named there tells how it ended.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const given = JSON.parse(readFileSync(0, "utf8"));

function end(error = null) {
  writeFileSync(given.answer, JSON.stringify({ error }));
  process.exit(error ? 1 : 0);
}

function crash(error) {
  console.error(error?.stack ?? error);
  end({ type: error?.name ?? "Error", message: String(error?.message ?? error) });
}

function refuse(name, message) {
  throw Object.assign(new Error(message), { name });
}

async function load() {
  // `src/index.handler`: the file is named up to the first dot of the last part.
  const [stem, ...names] = basename(given.handler).split(".");
  const path = join(given.folder, dirname(given.handler), stem);
  const file = ["", ".js", ".mjs", ".cjs"].map((end) => path + end).find(existsSync);
  if (!file) refuse("Runtime.ImportModuleError", `there is no ${path}.js, .mjs or .cjs`);
  const module = await import(pathToFileURL(file));
  const find = (from) => names.reduce((found, name) => found?.[name], from);
  const handler = find(module) ?? find(module.default);
  if (typeof handler !== "function") {
    refuse("Runtime.HandlerNotFound", `${given.handler} is undefined or no function`);
  }
  return handler;
}

function context(finish) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: given.function_name,
    functionVersion: "$LATEST",
    invokedFunctionArn: given.function_arn,
    memoryLimitInMB: given.memory_mb,
    awsRequestId: given.request_id,
    logGroupName: given.log_group,
    logStreamName: given.log_stream,
    getRemainingTimeInMillis: () => Math.max(0, given.deadline_ms - Date.now()),
    done: (error) => finish(error),
    fail: (error) => finish(error ?? new Error("the handler has failed")),
    succeed: () => finish(),
  };
}

const finish = (error) => (error ? crash(error) : end());

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);

const handler = await load();
const told = context(finish);
const callback = (error) => {
  if (!told.callbackWaitsForEmptyEventLoop) finish(error);
  process.removeAllListeners("beforeExit");
  process.once("beforeExit", () => finish(error));
};
process.once("beforeExit", () => finish());
const returned = handler(given.event, told, callback);
if (typeof returned?.then === "function") returned.then(() => end(), crash);
