// The pages of the rules, from src/rules/ and src/findings/fact-rules.ts: see generate.mjs.

/** docs/findings.md. */
export function findingsPage({ rules, factRules }) {
  const cell = (text) => text.replaceAll("|", "\\|");
  const lint = Object.entries(rules).map(
    ([id, { title, severity }]) => `| [\`${id}\`](rules/${id}.md) | ${cell(title)} | ${severity} |`,
  );
  const facts = Object.entries(factRules).map(
    ([id, { says, severity, never }]) =>
      `| \`${id}\` | ${cell(says)} | ${severity} | ${never === undefined ? "yes" : "never"} |`,
  );
  return `# Findings of \`check\`

Made from \`src/rules/\` and \`src/findings/fact-rules.ts\` by \`npm run generate\`; \`migration-gate explain <rule>\` prints
the page of each.

## Lint rules

They read what upgrade() of a new or edited revision does, without a database. What it does to tables that it makes
itself is left out.

| rule | says | severity |
|---|---|---|
${lint.join("\n")}

## What graph, history and proof show

| rule | says | severity | may be accepted |
|---|---|---|---|
${facts.join("\n")}

## What decides the verdict

The change is compared with a base: the commit that \`base\` names, else the one that GitHub's event tells (the target of a
pull request, the base of a merge group, what was there before a push). Revisions that are new or edited since then
decide; what is wrong with older ones is a note. \`history: all\` makes all of them decide, and without a base they do.

A revision of Python is edited when its meaning changed: comments, formatting, quotes, type hints, docstrings, the order of
imports and imports that nothing uses do not count. A file of SQL is edited when its text changed, a comment included. One that was only moved or renamed, or
got other line ends, is not. Heads, missing parents and ids
that are used twice are also looked for in what the merge will make: this change, and what the target has got since.
A clone that is too shallow fetches what it needs from \`origin\`; where that fails, the check ends with exit code 2.
What each finding on the history says, and what a squash must keep: [history.md](history.md).

## Accepting a finding

\`\`\`python
# migration-gate: allow ban-drop-column because users.nickname is unmapped since v1.8
op.drop_column("users", "nickname")
\`\`\`

Beside a statement or in the comment lines right above it, the comment speaks of that statement (of a \`with\` or a function,
of all that is in it; of \`if\`, \`for\`, \`try\` and the like, of the header only); above the first statement of the file,
docstring and imports aside, of the whole file. In SQL text it is \`-- migration-gate: allow …\`, and speaks of one SQL
statement, also where several are on its line. Several rules are parted by commas. Where the file must not change, or is gone:

\`\`\`yaml
accept:
  - { rule: ban-drop-column, revision: "20260301", because: unmapped since v1.8 }
rules:
  require-batched-backfill: { severity: off, because: our tables are small }
\`\`\`

A suppression without a reason, of an unknown rule, or of nothing is a finding itself. What is marked "never" above cannot
be accepted: a step that was not seen stays not proved. A downgrade that cannot be says so with
\`raise NotImplementedError("the reason")\` or \`# migration-gate: irreversible because <reason>\`.

\`migration-gate check --write-baseline\` writes what is found now into migration-gate-baseline.json; later checks take that
as accepted. It is read before a migration runs. Its entries do not depend on line numbers; one that is no longer found is a
note. An entry covers no finding that is worse now than it was, and that of an edited revision no later edit of it; an
\`accept\` or a comment for \`revision-edited\` covers every edit of the revision. Once the edit is merged it
is told as unused: remove it.
`;
}

/** docs/rules/<id>.md. */
export function rulePages({ rules, observed, rulePage, markdownPage }) {
  return Object.fromEntries(
    Object.entries(rules).map(([id, rule]) => [
      `docs/rules/${id}.md`,
      markdownPage(rulePage(id, rule, observed[id]), `src/rules/${id}.ts`),
    ]),
  );
}
