import { landed, project, revision, revisionFiles, type Shape, sql } from "./shape";
import { testShapes } from "./table";

/* Shapes 5, 6, 9 (of env.py), 14 and 20 of real projects: history that databases do not have as the files say it. */

const column = (id: string, down: string, table = "users") =>
  revision(
    id,
    down,
    `op.add_column("${table}", sa.Column("c_${id}", sa.Text))`,
    `op.drop_column("${table}", "c_${id}")`,
  );

const users = landed[1];
if (users === undefined) throw new Error("no second landed revision");
const edited = (from: string, to: string) => ({
  ...users,
  upgrade: users.upgrade.replaceAll(from, to),
  downgrade: users.downgrade.replaceAll(from, to),
});

const three = [
  revision(
    "0001",
    null,
    'op.create_table("a", sa.Column("id", sa.Integer, primary_key=True))',
    'op.drop_table("a")',
  ),
  revision(
    "0002",
    "0001",
    'op.create_table("b", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a_id", sa.Integer, sa.ForeignKey("a.id")))',
    'op.drop_table("b")',
  ),
  revision("0003", "0002", 'op.add_column("b", sa.Column("name", sa.Text))', 'op.drop_column("b", "name")'),
];
const squashed = (id: string, downgrade: string) =>
  revision(
    id,
    null,
    'op.create_table("a", sa.Column("id", sa.Integer, primary_key=True))\nop.create_table("b", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a_id", sa.Integer, sa.ForeignKey("a.id")), sa.Column("name", sa.Text))',
    downgrade,
  );
const withoutThem = {
  "migrations/versions/0001.py": null,
  "migrations/versions/0002.py": null,
  "migrations/versions/0003.py": null,
};

const sqlx = {
  "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n',
  "migrations/1_a.up.sql": "CREATE TABLE a (id int PRIMARY KEY);\n",
  "migrations/1_a.down.sql": "DROP TABLE a;\n",
  "migrations/2_b.up.sql": "CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);\n",
  "migrations/2_b.down.sql": "DROP TABLE b;\n",
  "migrations/3_c.up.sql": "ALTER TABLE b ADD COLUMN name text;\n",
  "migrations/3_c.down.sql": "ALTER TABLE b DROP COLUMN name;\n",
};

const swallowing = {
  ...project(),
  "migrations/env.py": (project()["migrations/env.py"] ?? "").replace(
    `    with context.begin_transaction():
        context.run_migrations()
`,
    `    try:
        with context.begin_transaction():
            context.run_migrations()
    except Exception as error:
        if "already exists" not in str(error):
            raise
`,
  ),
};

const shapes: Readonly<Record<string, Shape>> = {
  "5: an Alembic squash with an id of its own": {
    base: project(three),
    bad: {
      change: {
        ...withoutThem,
        ...revisionFiles(squashed("s1", 'op.drop_table("b")\nop.drop_table("a")'), column("0004", "s1", "b")),
      },
      findings: ["error fails-on-deployed -", "error revision-squashed s1"],
      lane: "failed",
    },
    good: {
      change: {
        ...withoutThem,
        ...revisionFiles(
          squashed("0003", 'op.drop_table("b")\nop.drop_table("a")'),
          column("0004", "0003", "b"),
        ),
      },
      findings: ["warning revision-squashed 0003"],
    },
  },
  "5: a squash whose base drops a table before the foreign key to it": {
    base: project(three),
    bad: {
      change: {
        ...withoutThem,
        ...revisionFiles(
          squashed("0003", 'op.drop_table("a")\nop.drop_table("b")'),
          column("0004", "0003", "b"),
        ),
      },
      findings: ["error downgrade-fails 0003", "warning revision-squashed 0003"],
    },
  },
  "5: an Alembic squash that forgets what a database has": {
    base: project(three),
    bad: {
      change: {
        ...withoutThem,
        ...revisionFiles(
          {
            ...squashed("0003", 'op.drop_table("b")\nop.drop_table("a")'),
            upgrade: squashed("0003", "").upgrade.replace(', sa.Column("name", sa.Text)', ""),
          },
          column("0004", "0003", "b"),
        ),
      },
      findings: [
        "error schema-depends-on-history 0003 column public.b.name",
        "warning revision-squashed 0003",
      ],
      lane: "failed",
    },
  },
  "5: an SQLx squash that reuses versions": {
    base: sqlx,
    bad: {
      change: {
        "migrations/1_a.up.sql":
          "CREATE TABLE a (id int PRIMARY KEY);\nCREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a, name text);\n",
        "migrations/1_a.down.sql": "DROP TABLE b;\nDROP TABLE a;\n",
        "migrations/2_b.up.sql": "ALTER TABLE b ADD COLUMN color text;\n",
        "migrations/2_b.down.sql": "ALTER TABLE b DROP COLUMN color;\n",
        "migrations/3_c.up.sql": null,
        "migrations/3_c.down.sql": null,
      },
      findings: ["error fails-on-deployed -", "error revision-squashed 1"],
      lane: "failed",
    },
    good: {
      change: {
        "migrations/4_d.up.sql": "ALTER TABLE b ADD COLUMN color text;\n",
        "migrations/4_d.down.sql": "ALTER TABLE b DROP COLUMN color;\n",
      },
    },
  },
  "5: SQLx migrations below and above what has landed": {
    base: {
      ...sqlx,
      "migrations/6_f.up.sql": "CREATE TABLE f (id int PRIMARY KEY);\n",
      "migrations/6_f.down.sql": "DROP TABLE f;\n",
    },
    bad: {
      change: {
        "migrations/4_d.up.sql": "ALTER TABLE b ADD COLUMN color text NOT NULL;\n",
        "migrations/4_d.down.sql": "ALTER TABLE b DROP COLUMN color;\n",
        "migrations/7_g.up.sql": "CREATE TABLE g (id int PRIMARY KEY);\n",
        "migrations/7_g.down.sql": "DROP TABLE g;\n",
      },
      findings: [
        "error fails-on-rows 4",
        "error require-column-default 4 column b.color",
        "warning revision-out-of-order 4",
      ],
      lane: "failed",
    },
    good: {
      change: {
        "migrations/4_d.up.sql": "ALTER TABLE b ADD COLUMN color text;\nALTER TABLE b DROP COLUMN name;\n",
        "migrations/4_d.down.sql": "ALTER TABLE b ADD COLUMN name text;\nALTER TABLE b DROP COLUMN color;\n",
        "migrations/7_g.up.sql": "CREATE TABLE g (id int PRIMARY KEY);\n",
        "migrations/7_g.down.sql": "DROP TABLE g;\n",
      },
      findings: ["error ban-drop-column 4 column b.name", "warning revision-out-of-order 4"],
      notes: ["note upgrade-loses-data 4 column public.b.name"],
    },
  },
  "6: a landed revision with another column": {
    base: project(),
    bad: {
      change: revisionFiles(edited('"nickname"', '"handle"'), column("0003", "0002")),
      findings: [
        "error revision-edited 0002",
        "error schema-depends-on-history 0002 column public.users.handle",
        "error schema-depends-on-history 0002 column public.users.nickname",
      ],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        { ...users, upgrade: `# The people.\n${users.upgrade}`, message: "users and more" },
        column("0003", "0002"),
      ),
    },
  },
  "6: a landed revision with another default, and another index": {
    base: project(),
    bad: {
      change: revisionFiles(
        {
          ...users,
          upgrade: users.upgrade
            .replace('server_default="free"', 'server_default="trial"')
            .replace('["tenant_id"])', '["tenant_id", "id"])'),
        },
        column("0003", "0002"),
      ),
      findings: [
        "error revision-edited 0002",
        "error schema-depends-on-history 0002 column public.users.plan",
        "error schema-depends-on-history 0002 index public.users_tenant_ix",
      ],
      lane: "failed",
    },
  },
  "6: landed revisions moved into another schema, and a new one that needs it": {
    base: project([
      revision(
        "0001",
        null,
        'op.create_table("tenants", sa.Column("id", sa.Integer, primary_key=True))',
        'op.drop_table("tenants")',
      ),
      revision(
        "0002",
        "0001",
        'op.add_column("tenants", sa.Column("slug", sa.Text))',
        'op.drop_column("tenants", "slug")',
      ),
    ]),
    bad: {
      change: revisionFiles(
        revision(
          "0001",
          null,
          'op.execute("CREATE SCHEMA boards")\nop.create_table("tenants", sa.Column("id", sa.Integer, primary_key=True), schema="boards")',
          'op.drop_table("tenants", schema="boards")\nop.execute("DROP SCHEMA boards")',
        ),
        revision(
          "0002",
          "0001",
          'op.add_column("tenants", sa.Column("slug", sa.Text), schema="boards")',
          'op.drop_column("tenants", "slug", schema="boards")',
        ),
        revision(
          "0003",
          "0002",
          'op.add_column("tenants", sa.Column("color", sa.Text), schema="boards")',
          'op.drop_column("tenants", "color", schema="boards")',
        ),
      ),
      findings: ["error fails-on-deployed 0003", "error revision-edited 0001", "error revision-edited 0002"],
      lane: "failed",
    },
  },
  "6: only a landed revision is edited, nothing is new": {
    base: project(),
    bad: {
      change: revisionFiles(edited("sa.String(120)", "sa.String(200)")),
      findings: [
        "error revision-edited 0002",
        "error schema-depends-on-history 0002 column public.users.email",
      ],
      lane: "failed",
    },
  },
  "9: an env.py that swallows what already exists": {
    base: swallowing,
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.create_index("users_tenant_ix", "users", ["note"])',
          'op.drop_index("users_tenant_ix")',
        ),
      ),
      findings: [
        "error not-proved 0003",
        "error not-proved 0003",
        "warning require-concurrent-index-creation 0003 index users_tenant_ix",
      ],
      notes: ["note deploy-lane-not-proved -"],
      lane: "not proved",
    },
    good: { change: revisionFiles(column("0003", "0002")) },
  },
  "14: an SQLx file with other line ends": {
    base: sqlx,
    bad: {
      change: {
        "migrations/2_b.up.sql": "CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);\r\n",
        "migrations/4_d.up.sql": "ALTER TABLE b ADD COLUMN color text;\n",
        "migrations/4_d.down.sql": "ALTER TABLE b DROP COLUMN color;\n",
      },
      findings: ["error fails-on-deployed -", "error revision-edited 2"],
      lane: "failed",
    },
    good: {
      change: {
        "migrations/4_d.up.sql": "ALTER TABLE b ADD COLUMN color text;\r\n",
        "migrations/4_d.down.sql": "ALTER TABLE b DROP COLUMN color;\r\n",
      },
    },
  },
  "20: a second head, after the target has got one": {
    base: project(),
    target: revisionFiles(column("0003a", "0002")),
    bad: {
      change: revisionFiles(column("0003b", "0002")),
      findings: ["error multiple-heads 0003b"],
    },
  },
  "20: two heads that are joined": {
    base: project([...landed, column("0003a", "0002")]),
    bad: {
      change: revisionFiles(column("0003b", "0002")),
      findings: ["error multiple-heads 0003b"],
    },
    good: {
      change: revisionFiles(column("0003b", "0002"), revision("0004", ["0003a", "0003b"], "", "")),
    },
  },
  "20: two heads of the base that the change joins, with rows lost on the way back": {
    base: project([...landed, column("0003a", "0002"), column("0003b", "0002")]),
    bad: {
      change: revisionFiles(
        sql("0004", ["0003a", "0003b"], ["SELECT 1"], ["DELETE FROM tenants WHERE id > 0"]),
      ),
      findings: [
        "error downgrade-loses-data 0004 table public.tenants",
        "error downgrade-loses-data 0004 table public.users",
      ],
      lane: "failed",
    },
    good: { change: revisionFiles(revision("0004", ["0003a", "0003b"], "", "")) },
  },
  "20: a history of its own that the change joins, with rows lost on the way back": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision("x1", null, 'op.create_table("x", sa.Column("id", sa.Integer))', 'op.drop_table("x")'),
        sql("0003", ["0002", "x1"], ["SELECT 1"], ["DELETE FROM users"]),
      ),
      findings: ["error downgrade-loses-data 0003 table public.users"],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        revision("x1", null, 'op.create_table("x", sa.Column("id", sa.Integer))', 'op.drop_table("x")'),
        revision("0003", ["0002", "x1"], "", ""),
      ),
    },
  },
};

testShapes(shapes);
