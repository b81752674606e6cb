import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { judge } from "../support/gate";
import { alembicProject, pythonBin } from "../support/project";

/** Each start tells the words of its process: of one that is forked they are the server's. */
const envPreamble = `
with open(os.environ["STARTS"], "a") as starts:
    print("forked" if "\\0-c\\0" in open("/proc/self/cmdline").read() else "plain", file=starts)
`;

const files = {
  // A command of the project's own over Alembic, and its console script as pip writes it.
  "shop/__init__.py": "",
  "shop/cli.py":
    'import sys\nfrom alembic.config import main\n\ndef run():\n    return main(prog="shop", argv=sys.argv[1:])\n',
  "shop-migrate": `#!${join(pythonBin(), "python")}
# -*- coding: utf-8 -*-
import re
import sys
from shop.cli import run
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(run())
`,
};

test.runIf(process.platform === "linux")(
  "a console script of the project's own is forked where the setting says any, and judged alike",
  async () => {
    await using project = await alembicProject({
      envPreamble,
      files,
      revisions: [
        {
          id: "a",
          down: null,
          upgrade: 'op.execute("CREATE TABLE t (id int)")',
          downgrade: 'op.drop_table("t")',
        },
        { id: "b", down: "a", upgrade: 'op.execute("CREATE TABLE left_over (id int)")', downgrade: "pass" },
      ],
    });
    const scratch = mkdtempSync(join(tmpdir(), "own-script-"));
    const told = async (forks: string) => {
      const starts = join(scratch, forks);
      const args = ["--run", "./shop-migrate", "--fork-server", forks];
      const { code, report } = await judge({ cwd: project.path, args, env: { STARTS: starts } });
      const findings = report.findings.map(({ rule, revision }) => `${rule} ${revision}`);
      return { code, findings, starts: readFileSync(starts, "utf8").trim().split("\n") };
    };
    try {
      const [plain, forked] = [await told("auto"), await told("any")];
      expect(new Set(plain.starts)).toEqual(new Set(["plain"]));
      expect(new Set(forked.starts)).toEqual(new Set(["forked"]));
      expect(forked.starts).toHaveLength(plain.starts.length);
      expect(plain).toMatchObject({
        code: 1,
        findings: ["require-downgrade b", "downgrade-leaves-residue b"],
      });
      expect({ ...forked, starts: [] }).toEqual({ ...plain, starts: [] });
    } finally {
      rmSync(scratch, { recursive: true });
    }
  },
);
