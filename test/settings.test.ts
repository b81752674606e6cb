import { describe, expect, test } from "vitest";
import { helpText } from "../src/commands/help";
import { type MoreSources, readSettings } from "../src/project/read-settings";
import { settingNames, takes } from "../src/settings";
import { messageOf } from "./support/messages";

describe("which source wins", () => {
  const variable = { MIGRATION_GATE_FLOOR: "of the variable" };
  const input = { INPUT_FLOOR: "of the input" };
  const file: MoreSources["file"] = { floor: { value: "of the file", name: "floor", where: "f:1:1" } };
  const cases: Readonly<
    Record<string, readonly [string[], NodeJS.ProcessEnv, MoreSources, string | undefined]>
  > = {
    "a flag": [["--floor", "of the flag"], { ...input, ...variable }, { inputs: true, file }, "of the flag"],
    "an input": [[], { ...input, ...variable }, { inputs: true, file }, "of the input"],
    "an input outside of the action is none": [[], { ...input, ...variable }, { file }, "of the variable"],
    "an empty input is not given": [
      [],
      { INPUT_FLOOR: " \n", ...variable },
      { inputs: true, file },
      "of the variable",
    ],
    "a variable": [[], variable, { inputs: true, file }, "of the variable"],
    "an empty variable is not given": [
      [],
      { MIGRATION_GATE_FLOOR: "" },
      { inputs: true, file },
      "of the file",
    ],
    "the file": [[], {}, { file }, "of the file"],
    "the default": [[], {}, {}, undefined],
    "the last of two flags": [["--floor", "a", "--floor=b"], {}, {}, "b"],
  };
  test.for(Object.entries(cases))("%s", ([, [args, environment, more, wanted]], { expect }) => {
    expect(readSettings(args, environment, more).floor).toBe(wanted);
  });
});

describe("values", () => {
  const settings = (args: string[], environment: NodeJS.ProcessEnv = {}) =>
    readSettings(args, environment, { inputs: true });

  test("GitHub's names of inputs keep their dashes", () => {
    const environment = {
      "INPUT_WORKING-DIRECTORY": "backend",
      "INPUT_GITHUB-TOKEN": "t",
      INPUT_COMMAND: "status",
    };
    expect(settings([], environment)).toMatchObject({
      "working-directory": "backend",
      "github-token": "t",
      command: "status",
    });
  });

  test("true and false", () => {
    const read = (...args: string[]) => settings(args)["write-baseline"];
    expect([
      read(),
      read("--write-baseline"),
      read("--write-baseline", "--floor", "x"),
      read("--write-baseline=true"),
      read("--write-baseline", "false"),
      read("--write-baseline=false"),
    ]).toEqual([false, true, true, true, false, false]);
    expect(settings([], { INPUT_SUMMARY: "false" }).summary).toBe(false);
  });

  test("lists: a flag each, a line each", () => {
    expect(settings(["--env", "A=1", "--env=B= 2 "]).env).toEqual(["A=1", "B= 2 "]);
    expect(settings([], { INPUT_ENV: "A=1\n\n  B=2\n" }).env).toEqual(["A=1", "B=2"]);
  });

  test("an address with a line break at its end", () => {
    expect(settings([], { MIGRATION_GATE_SHADOW_URL: "postgresql://h/d\n" })["shadow-url"]).toBe(
      "postgresql://h/d",
    );
  });
});

describe("what is refused", () => {
  const cases: Readonly<Record<string, readonly [string[], NodeJS.ProcessEnv, string]>> = {
    "a yes": [
      ["--write-baseline=yes"],
      {},
      `error: --write-baseline is "yes".
seen  Allowed are true, false.
do    Set --write-baseline to true or false. Write what is found into the baseline.`,
    ],
    "an input of another kind": [
      [],
      { "INPUT_FAIL-ON": "eror" },
      `error: fail-on is "eror".
where an input of the action
seen  Allowed are error, warning, note.
do    Set fail-on to error.`,
    ],
    "a number in another notation": [
      [],
      { MIGRATION_GATE_TOOL_TIMEOUT: "1e3" },
      `error: MIGRATION_GATE_TOOL_TIMEOUT is "1e3", which is no whole number above 0.
do    Set MIGRATION_GATE_TOOL_TIMEOUT to a number. Seconds that one start of the tool may take.`,
    ],
    "a secret as a flag": [
      ["--github-token", "ghp_x"],
      {},
      `error: --github-token is no flag.
do    Set the variable MIGRATION_GATE_GITHUB_TOKEN. The token that writes the comment; it needs pull-requests: write.`,
    ],
    "a command as a flag": [
      ["--command", "check"],
      {},
      `error: "--command" is not expected here.
do    Settings are written --name value. All settings: migration-gate check --help`,
    ],
    "a word after a flag that has its value": [
      ["--floor", "x", "true"],
      {},
      `error: "true" is not expected here.
do    Settings are written --name value. All settings: migration-gate check --help`,
    ],
    "a name that every object has": [
      ["--constructor", "x"],
      {},
      `error: There is no setting --constructor.
do    All settings: migration-gate check --help`,
    ],
  };
  test.for(Object.entries(cases))("%s", async ([, [args, environment, wanted]], { expect }) => {
    expect(await messageOf(() => readSettings(args, environment, { inputs: true }))).toBe(wanted);
  });
});

test("the help has every flag, and nothing that is none", () => {
  const told = [...helpText().matchAll(/^ {2}--(\S+)$/gm)].map(([, name]) => name);
  expect(told).toEqual(settingNames.filter((name) => takes(name, "flag")));
});
