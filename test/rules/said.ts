import { lintFindings } from "../../src/findings/lint";
import { buildGraph } from "../../src/revisions/graph";
import { readRevisionFile } from "../../src/tools/alembic/revision-file";

/** `<rule> <object>` of all that the lint rules say of a revision with this upgrade(); loadModule() has resolved. */
export function said(upgrade: string): string[] {
  const text = `from alembic import op
import sqlalchemy as sa
revision = "r"
down_revision = None

def upgrade():
${upgrade.replace(/^/gm, "    ")}

def downgrade():
    raise NotImplementedError("not of interest here")
`;
  const file = readRevisionFile("versions/r.py", Buffer.from(text));
  if (file.revision === undefined) throw new Error(file.problems[0]?.text);
  const found = lintFindings({
    graph: buildGraph([file.revision]),
    judged: new Set(["r"]),
    floor: undefined,
    bodyOf: () => file.body(),
  });
  return found.map(({ rule, object }) => `${rule} ${object}`);
}
