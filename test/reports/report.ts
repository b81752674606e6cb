import type { Finding } from "../../src/model/finding";
import type { CheckReport, RevisionReport, Step } from "../../src/model/verdict";

/** A finding that differs from an ordinary one in these parts. */
export function aFinding(parts: Partial<Finding> = {}): Finding {
  return {
    rule: "downgrade-leaves-residue",
    severity: "error",
    revision: "41ab",
    direction: "downgrade",
    file: "migrations/versions/41ab_orders_status.py",
    line: 31,
    column: 5,
    object: "enum type public.order_status",
    what: 'After upgrade and downgrade the enum type "public.order_status" exists.',
    where: "revision 41ab, downgrade",
    seen: "PostgreSQL 17.2, fresh lane; the second upgrade failed with 42710.",
    why: "The next upgrade fails.",
    do: 'Add sa.Enum(name="order_status").drop(op.get_bind()) to downgrade().',
    suppressed: false,
    suppression: undefined,
    ...parts,
  };
}

export function aStep(parts: Partial<Step> = {}): Step {
  return {
    revision: "41ab",
    direction: "upgrade",
    status: "proved",
    reason: undefined,
    judged: true,
    milliseconds: 12,
    statements: [],
    ...parts,
  };
}

export function aRevision(parts: Partial<RevisionReport> = {}): RevisionReport {
  return {
    id: "41ab",
    parents: [],
    message: "orders status",
    file: "migrations/versions/41ab_orders_status.py",
    state: "new",
    judged: true,
    ...parts,
  };
}

export function aReport(parts: Partial<CheckReport> = {}): CheckReport {
  return {
    version: 1,
    verdict: "failed",
    findings: [aFinding()],
    steps: [aStep(), aStep({ direction: "downgrade", status: "failed", reason: "it leaves a type" })],
    revisions: [
      aRevision({ id: "20ff", message: "orders", state: "unchanged", judged: false }),
      aRevision({ parents: ["20ff"] }),
    ],
    base: { source: "pull_request", commit: "0123456789abcdef0123456789abcdef01234567" },
    shadow: {
      kind: "given",
      version: "17.2",
      major: 17,
      production: undefined,
      matchesProduction: undefined,
      isolation: "a network namespace",
    },
    bind: undefined,
    deployLane: undefined,
    timings: { static: 20 },
    ...parts,
  };
}

/** This text in every field that a revision, a tool or a server can fill. */
export function hostileReport(text: string, findings = 3): CheckReport {
  const statement = {
    sql: text,
    milliseconds: 900,
    rows: 1,
    locks: [{ relation: text, mode: "AccessExclusiveLock" }],
    rewrites: [text],
    replay: text,
  };
  const finding = aFinding({
    rule: text,
    revision: text,
    file: text,
    object: text,
    what: text,
    where: text,
    seen: text,
    why: text,
    do: text,
  });
  return aReport({
    findings: [
      ...Array.from({ length: findings }, () => finding),
      { ...finding, severity: "warning" },
      { ...finding, severity: "note" },
      { ...finding, suppressed: true, suppression: text },
    ],
    steps: [
      aStep({ revision: text, statements: [statement] }),
      aStep({ revision: text, direction: "downgrade", status: "not proved", reason: text }),
    ],
    revisions: [
      aRevision({ id: text, message: text, file: text }),
      aRevision({
        id: `${text}2`,
        parents: [text],
        message: text,
        file: text,
        state: "deleted",
        judged: false,
      }),
    ],
    base: { source: text, commit: text },
    shadow: {
      kind: "given",
      version: text,
      major: 17,
      production: 16,
      matchesProduction: false,
      isolation: text,
    },
  });
}

/** Texts that mean something to one of the targets. */
export const hostileTexts: Readonly<Record<string, string>> = {
  "a workflow command": "::set-output name=verdict::passed\n::add-mask::a\r\n  ::error::b\n##[error]c",
  "an encoded line end": "a%0A::add-mask::b%0D%25",
  "table cells": "a | b\n| --- | --- |\n| c | d |",
  "a fence": "```\n```mermaid\n~~~",
  html: '<script>alert(1)</script><img src=x onerror="a()"><!-- b --></pre></code></details>&lt;',
  "the comment's marker": "<!-- migration-gate:report:v1 key=. -->",
  mentions: "@octocat @acme/team #123 GH-7 acme/boards#8 https://evil.example www.evil.example a@b.example",
  emphasis: "# Heading\n\n**bold** _it_ ~~no~~ `code` [link](https://evil.example) ![i](x)\n- item\n1. one",
  "mermaid syntax": '"]:::x\n  click r0 "https://evil.example"\n%%{init: {"securityLevel":"loose"}}%%\nend',
  terminal: "\u001b[2J\u001b]0;title\u0007\u009b31m\b\b",
  direction: "user\u202e\u2066nimda\u2069 \u200b\u200f\ufeff\u{e0041}",
  surrogates: "a\ud800b\udc00",
  "SARIF message syntax": "[text](1) {0} {{1}} \\",
  "path tricks": "../../../etc/passwd",
  "an absolute path": "/etc/passwd",
  "a URL as path": "https://evil.example/a?b#c",
};
