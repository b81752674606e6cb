import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { findConfigFile, readConfigFile, requireOnlyConfig } from "../../src/project/config-file";
import { loadSettings } from "../../src/project/load-settings";
import { messageOf } from "../support/messages";
import { type Project, writeProject } from "../support/project";

/** Files are found from the current folder, as on a command line. */
let project: Project;
const started = process.cwd();
beforeEach(async () => {
  process.chdir(started);
  await project?.[Symbol.asyncDispose]();
  project = await writeProject({ "sub/a": "" });
  process.chdir(project.path);
});
afterAll(async () => {
  process.chdir(started);
  await project[Symbol.asyncDispose]();
});

function write(text: string | Uint8Array, file = "migration-gate.yml"): void {
  writeFileSync(join(project.path, file), text);
}

describe("migration-gate.yml", () => {
  test("settings, rules and acceptances, each as the text that was written", () => {
    write(`# settings
rules:
  require-lock-timeout: { severity: off, because: set for the role in production }
  prefer-identity: note
  ban-drop-column:
    severity: warning
    reason: >
      columns go
      twice a year
accept:                          # where the file's bytes must not change
  - { rule: ban-drop-column, revision: 20260301, because: unmapped since v1.8 }
  - rule: ban-drop-table
    revision: 1e5
history: new
floor: 0012
env: ["HOST={host}", "PORT= {port}"]
tool-timeout: 30
summary: false
`);
    const { settings, policy } = loadSettings([], {});
    expect(settings).toMatchObject({
      history: "new",
      floor: "0012",
      env: ["HOST={host}", "PORT= {port}"],
      "tool-timeout": 30,
      summary: false,
      "fail-on": "error",
    });
    expect(policy).toEqual({
      file: "migration-gate.yml",
      rules: new Map([
        ["require-lock-timeout", { severity: "off", because: "set for the role in production", line: 3 }],
        ["prefer-identity", { severity: "note", because: undefined, line: 4 }],
        ["ban-drop-column", { severity: "warning", because: "columns go twice a year", line: 6 }],
      ]),
      accept: [
        { rule: "ban-drop-column", revision: "20260301", because: "unmapped since v1.8", line: 11 },
        { rule: "ban-drop-table", revision: "1e5", because: undefined, line: 12 },
      ],
    });
  });

  test("a mapping or lines for a list", () => {
    write("env:\n  A: 1\n  B: '{url}'\n");
    expect(loadSettings([], {}).settings.env).toEqual(["A=1", "B={url}"]);
    write("env: |\n  A=1\n  B=2\n");
    expect(loadSettings([], {}).settings.env).toEqual(["A=1", "B=2"]);
  });

  test.for(["", "# nothing\n", "---\n", "rules:\naccept: ~\n", "\uFEFF# nothing\n"])(
    "%j says nothing",
    (text) => {
      write(text);
      expect(readConfigFile("migration-gate.yml")).toEqual({
        settings: {},
        policy: { file: "migration-gate.yml", rules: new Map(), accept: [] },
      });
    },
  );
});

describe("what stands in it wrongly", () => {
  const cases: Readonly<Record<string, readonly [string, string]>> = {
    "a name that is not known": [
      "history: new\nfail-un: note\n",
      `error: There is no setting "fail-un".
where migration-gate.yml:2:1
do    Did you mean fail-on? All settings: docs/settings.md`,
    ],
    "a key twice": [
      "floor: a\nfloor: b\n",
      `error: A key is there twice.
where migration-gate.yml:2:1
do    Keep one of them.`,
    ],
    "a list": [
      "- floor: a\n",
      `error: migration-gate.yml is no mapping of settings.
where migration-gate.yml:1:1
do    Write one setting a line, for instance fail-on: warning.`,
    ],
    "a text": [
      "floor\n",
      `error: migration-gate.yml is no mapping of settings.
where migration-gate.yml:1:1
do    Write one setting a line, for instance fail-on: warning.`,
    ],
    "a quote that is not closed": [
      "floor: 'a\n",
      `error: The file is not YAML that can be read.
where migration-gate.yml:2:1
seen  Missing closing 'quote
do    Mend the line.`,
    ],
    "a tab": [
      "rules:\n\ta-b: off\n",
      `error: The file is not YAML that can be read.
where migration-gate.yml:2:1
seen  Tabs are not allowed as indentation
do    Mend the line.`,
    ],
    "two documents": [
      "floor: a\n---\nfloor: b\n",
      `error: The file is not YAML that can be read.
where migration-gate.yml:2:1
seen  Source contains multiple documents; please use YAML.parseAllDocuments()
do    Mend the line.`,
    ],
    "a tag": [
      "floor: !!python/object:os.system x\n",
      `error: The file is not YAML that can be read.
where migration-gate.yml:1:8
seen  Unresolved tag: tag:yaml.org,2002:python/object:os.system
do    Mend the line.`,
    ],
    "anchors that would grow": [
      "env: &a [x, x]\nother-sources: [*a, *a]\n",
      `error: Anchors and aliases (&name, *name) are not read here.
where migration-gate.yml:1:9
do    Write the value out.
error: Anchors and aliases (&name, *name) are not read here.
where migration-gate.yml:2:17
do    Write the value out.
error: Anchors and aliases (&name, *name) are not read here.
where migration-gate.yml:2:21
do    Write the value out.`,
    ],
    "a key that is a mapping": [
      "? { a: b }\n: c\n",
      `error: A key is no text.
where migration-gate.yml:1:3
do    Write a name before the colon.`,
    ],
    "a list for one value": [
      "floor: [a, b]\n",
      `error: floor is a list, and one value is expected.
where migration-gate.yml:1:8
do    Write one value, or leave it out.`,
    ],
    "nothing for one value": [
      "floor:\n",
      `error: floor is nothing, and one value is expected.
where migration-gate.yml:1:7
do    Write one value, or leave it out.`,
    ],
    "a mapping in a list": [
      "env: [{ A: 1 }]\n",
      `error: an item of env is a mapping, and one value is expected.
where migration-gate.yml:1:7
do    Write one value, or leave it out.`,
    ],
    "a word of a choice that is none": [
      "history: al\n",
      `error: history is "al".
where migration-gate.yml:1:10
seen  Allowed are new, all.
do    Set history to all.`,
    ],
    "a yes": [
      "summary: yes\n",
      `error: summary is "yes".
where migration-gate.yml:1:10
seen  Allowed are true, false.
do    Set summary to true or false. Write the job's summary page.`,
    ],
    "a number with a unit": [
      "tool-timeout: 30s\n",
      `error: tool-timeout is "30s", which is no whole number above 0.
where migration-gate.yml:1:15
do    Set tool-timeout to a number. Seconds that one start of the tool may take.`,
    ],
    "a password": [
      "shadow-url: postgresql://u:s3cr3t@h/d\n",
      `error: shadow-url is not set in a file.
where migration-gate.yml:1:1
why   It may hold a password, and the file lies in the repository.
do    Remove it here, and set the variable MIGRATION_GATE_SHADOW_URL or the input shadow-url.`,
    ],
    "a command": [
      "command: check\n",
      `error: command is not set in a file.
where migration-gate.yml:1:1
do    Remove it here, and set the input command.`,
    ],
    "a severity that is none": [
      "rules: { a-b: fatal }\n",
      `error: The severity of a-b is "fatal".
where migration-gate.yml:1:15
seen  Allowed are error, warning, note, off.
do    Set it to note.`,
    ],
    "off without a reason": [
      "rules:\n  a-b: off\n",
      `error: The rule a-b is turned off without a reason.
where migration-gate.yml:2:3
do    Write a-b: { severity: off, because: <why> }`,
    ],
    "a word that a rule does not have": [
      "rules:\n  a-b: { severty: note }\n",
      `error: rules.a-b has no "severty".
where migration-gate.yml:2:10
seen  Allowed are severity, because, reason.
do    Did you mean severity? Write one of the allowed words.`,
    ],
    "a list of rules": [
      "rules: [a-b]\n",
      `error: rules is a list, and a mapping of rule ids is expected.
where migration-gate.yml:1:8
do    Write a mapping of rule ids, or leave it out.`,
    ],
    "a rule with a list": [
      "rules: { a-b: [off] }\n",
      `error: rules.a-b is a list, and error, warning, note, off, or { severity: …, because: … } is expected.
where migration-gate.yml:1:15
do    Write error, warning, note, off, or { severity: …, because: … }, or leave it out.`,
    ],
    "two reasons": [
      "accept:\n  - { rule: a, revision: b, because: c, reason: d }\n",
      `error: accept has because and reason, which mean the same.
where migration-gate.yml:2:49
do    Keep because.`,
    ],
    "an acceptance without a revision": [
      "accept:\n  - { rule: a, because: c }\n",
      `error: An entry of accept has no revision.
where migration-gate.yml:2:5
do    Write - { rule: <id>, revision: <id>, because: <why> }`,
    ],
    "an acceptance that is a text": [
      "accept: [a]\n",
      `error: accept is a text, and a list of { rule, revision, because } is expected.
where migration-gate.yml:1:10
do    Write a list of { rule, revision, because }, or leave it out.`,
    ],
    "an acceptance of nothing": [
      "accept:\n  - { because: c }\n",
      `error: An entry of accept has no rule and no revision.
where migration-gate.yml:2:5
do    Write - { rule: <id>, revision: <id>, because: <why> }`,
    ],
    "a mapping of acceptances": [
      "accept: { rule: a }\n",
      `error: accept is a mapping, and a list of { rule, revision, because } is expected.
where migration-gate.yml:1:9
do    Write a list of { rule, revision, because }, or leave it out.`,
    ],
  };
  test.for(Object.entries(cases))("%s", async ([, [text, wanted]], { expect }) => {
    write(text);
    expect(await messageOf(() => loadSettings([], {}))).toBe(wanted);
  });

  test("all of it is told in one run, in the order of the file", async () => {
    write(`tool-timeout: 30s
rules:
  a-b: { severty: note, severity: fatal }
  c-d: off
accept:
  - { rule: a, revision: b, because: c, why: d }
  - a
histroy: all
floor: &here a
floor: b
env: [{ A: 1 }, B=2, [C]]
rows:
  default: { rows: many }
  reference: countries
  tables:
    users: { tier: hard, values: { a: [] } }
`);
    const message = await messageOf(() => loadSettings([], {}));
    const told = message
      .match(/(?<=^error: ).*\nwhere .*/gm)
      ?.map((lines) => lines.replace("\nwhere ", " @ "));
    const at = "migration-gate.yml:";
    expect(told).toEqual([
      `tool-timeout is "30s", which is no whole number above 0. @ ${at}1:15`,
      `rules.a-b has no "severty". @ ${at}3:10`,
      `The severity of a-b is "fatal". @ ${at}3:35`,
      `The rule c-d is turned off without a reason. @ ${at}4:3`,
      `accept has no "why". @ ${at}6:41`,
      `accept is a text, and a list of { rule, revision, because } is expected. @ ${at}7:5`,
      `There is no setting "histroy". @ ${at}8:1`,
      `Anchors and aliases (&name, *name) are not read here. @ ${at}9:14`,
      `A key is there twice. @ ${at}10:1`,
      `an item of env is a mapping, and one value is expected. @ ${at}11:7`,
      `an item of env is a list, and one value is expected. @ ${at}11:22`,
      `rows.default.rows is "many", which is no whole number from 1 to 1000. @ ${at}13:20`,
      `rows.reference is a text, and a list of tables is expected. @ ${at}14:14`,
      `rows.tables.users.tier is "hard". @ ${at}16:20`,
      `rows.tables.users.values.a is an empty list, and a list of values is expected. @ ${at}16:39`,
    ]);
    expect(message).toContain("Did you mean history? All settings: docs/settings.md");
  });

  test("of very many mistakes the first twenty, and how many more there are", async () => {
    write(Array.from({ length: 200 }, (_, index) => `x${index}: 1\n`).join(""));
    const message = await messageOf(() => loadSettings([], {}));
    expect(message.match(/^error: /gm)).toHaveLength(21);
    expect(
      message.slice(message.lastIndexOf("error: ")),
    ).toBe(`error: There are 180 more mistakes in migration-gate.yml.
do    Mend those above; the next run shows them.`);
  });

  test("a value that a flag overrides is a mistake all the same; those of variables are told together", async () => {
    write("history: al\n");
    expect(await messageOf(() => loadSettings(["--history", "all"], {}))).toContain('history is "al"');
    write("");
    expect(
      await messageOf(() =>
        loadSettings([], { MIGRATION_GATE_HISTORY: "al", MIGRATION_GATE_TOOL_TIMEOUT: "30s" }),
      ),
    ).toMatch(/^error: MIGRATION_GATE_.*\n(?:.*\n)*error: MIGRATION_GATE_/);
  });

  test("brackets without an end", async () => {
    for (const text of ["[".repeat(200_000), "- ".repeat(100_000), "{a: ".repeat(60_000)]) {
      write(text);
      expect(await messageOf(() => loadSettings([], {}))).toMatch(/^error: /);
    }
  });

  test("a folder, and a link to nothing", async () => {
    mkdirSync("migration-gate.yml");
    expect(await messageOf(() => loadSettings([], {}))).toBe(`error: migration-gate.yml is a folder.
do    Make it a file that can be read, or name another with config-file.`);
    symlinkSync("nowhere", "sub/migration-gate.yml");
    expect(await messageOf(() => loadSettings(["--working-directory", "sub"], {}))).toContain(
      "error: sub/migration-gate.yml cannot be read.",
    );
  });

  test("too much, and what is no text", async () => {
    write("#".repeat(256 * 1024 + 1));
    expect(await messageOf(() => loadSettings([], {}))).toContain(
      "has 262145 bytes; a file of settings has at most 262144",
    );
    write(Buffer.from([0xff, 0xfe, 0x41]));
    expect(await messageOf(() => loadSettings([], {}))).toContain(
      "error: migration-gate.yml is not UTF-8 text.",
    );
  });
});

describe("where it is found", () => {
  test("in the working directory, else at the repository's root, and nowhere between", () => {
    mkdirSync("a/b/.git-not", { recursive: true });
    mkdirSync(".git");
    expect(findConfigFile("a/b", undefined)).toBe(undefined);
    write("", "a/migration-gate.yml");
    expect(findConfigFile("a/b", undefined)).toBe(undefined);
    write("");
    expect(findConfigFile("a/b", undefined)).toBe("migration-gate.yml");
    write("", "a/b/migration-gate.yaml");
    expect(findConfigFile("a/b", undefined)).toBe("a/b/migration-gate.yaml");
    process.chdir("a");
    expect(findConfigFile(".", undefined)).toBe("migration-gate.yml");
    process.chdir("b");
    expect(findConfigFile("../../sub", undefined)).toBe("../../migration-gate.yml");
  });

  test("by its name", async () => {
    write("floor: x\n", "gate settings.yml");
    expect(loadSettings(["--config-file", "gate settings.yml"], {}).settings.floor).toBe("x");
    expect(
      await messageOf(() => loadSettings(["--config-file", "sub"], {})),
    ).toBe(`error: There is no file sub, which the setting config-file names.
do    Set config-file to the path of migration-gate.yml.`);
  });

  test("two of them", async () => {
    write("");
    write("", "migration-gate.yaml");
    expect(
      await messageOf(() => loadSettings([], {})),
    ).toBe(`error: There are migration-gate.yml and migration-gate.yaml, and only one of them would be read.
where .
do    Keep migration-gate.yml.`);
  });

  test("one beside the project that was not read", async () => {
    write("", "sub/migration-gate.yml");
    expect(
      await messageOf(() => requireOnlyConfig(join(project.path, "sub"), undefined)),
    ).toBe(`error: sub/migration-gate.yml was not read.
do    Set config-file to sub/migration-gate.yml, or working-directory to sub.`);
    expect(requireOnlyConfig(join(project.path, "sub"), "sub/migration-gate.yml")).toBe(undefined);
    expect(requireOnlyConfig(project.path, undefined)).toBe(undefined);
  });
});
