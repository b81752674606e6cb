// Names the tests that failed, out of vitest's JSON report: file, name, and the first lines of each message.
import { readFileSync } from "node:fs";
import path from "node:path";

const { testResults } = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const { name, message, assertionResults } of testResults) {
  const file = path.relative(process.cwd(), name);
  const failed = assertionResults.filter(({ status }) => status === "failed");
  if (failed.length === 0 && message) process.stdout.write(`${file}\n${firstLines(message)}\n`);
  for (const { fullName, failureMessages } of failed) {
    process.stdout.write(`${file} > ${fullName}\n${firstLines(failureMessages.join("\n"))}\n`);
  }
}

function firstLines(text) {
  return text
    .split("\n")
    .slice(0, 25)
    .map((line) => `    ${line}`)
    .join("\n");
}
