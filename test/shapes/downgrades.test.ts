import { project, revision, revisionFiles, type Shape, sql } from "./shape";
import { testShapes } from "./table";

/*
 * Shapes 1 to 4, 12, 17 and 19 of real projects: what the way back leaves, makes, or stops at. Shape 13 (a status that writes, a
 * wrapper that hides the exit code) is in test/deploy/status.test.ts, shape 10 (what a revision reads beside its file) in
 * test/commands/history.test.ts.
 */

const residue = "downgrade-leaves-residue";
const enumColumn = `sa.Enum("on", "off", name="user_state").create(op.get_bind())
op.add_column("users", sa.Column("state", sa.Enum("on", "off", name="user_state", create_type=False)))`;

const sqlxBase = {
  "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n',
  "migrations/0001_users.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);\n",
  "migrations/0001_users.down.sql": "DROP TABLE users;\n",
};
const sqlxUp = "-- no-transaction\nALTER TABLE users ADD COLUMN label text;\n";

const shapes: Readonly<Record<string, Shape>> = {
  "1: an enum that the downgrade leaves": {
    base: project(),
    bad: {
      change: revisionFiles(revision("0003", "0002", enumColumn, 'op.drop_column("users", "state")')),
      findings: [`error ${residue} 0003 enum type public.user_state`],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          enumColumn,
          'op.drop_column("users", "state")\nsa.Enum(name="user_state").drop(op.get_bind())',
        ),
      ),
    },
  },
  "2: a downgrade that makes a table that never was": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("city", sa.Text))',
          'op.drop_column("users", "city")\nop.create_table("cities", sa.Column("id", sa.Integer, primary_key=True))',
        ),
      ),
      findings: [`error ${residue} 0003 table public.cities`],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("city", sa.Text))',
          'op.drop_column("users", "city")',
        ),
      ),
    },
  },
  "3: a constraint without a name": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.create_table("teams", sa.Column("id", sa.Integer, primary_key=True), sa.Column("user_id", sa.Integer))\nop.create_foreign_key(None, "teams", "users", ["user_id"], ["id"])',
          'op.drop_constraint(None, "teams", type_="foreignkey")\nop.drop_table("teams")',
        ),
      ),
      findings: ["error downgrade-fails 0003"],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.create_table("teams", sa.Column("id", sa.Integer, primary_key=True), sa.Column("user_id", sa.Integer))\nop.create_foreign_key("teams_user_fk", "teams", "users", ["user_id"], ["id"])',
          'op.drop_constraint("teams_user_fk", "teams", type_="foreignkey")\nop.drop_table("teams")',
        ),
      ),
    },
  },
  "4: an SQLx down that drops a column before its index": {
    base: sqlxBase,
    bad: {
      change: {
        "migrations/0002_labels.up.sql": "ALTER TABLE users ADD COLUMN label text;\n",
        "migrations/0002_labels.down.sql": "ALTER TABLE users DROP COLUMN label;\n",
        "migrations/0003_labels.up.sql":
          "-- no-transaction\nCREATE INDEX CONCURRENTLY users_label_ix ON users (label);\n",
        "migrations/0003_labels.down.sql":
          "ALTER TABLE users DROP COLUMN label;\nDROP INDEX users_label_ix;\n",
      },
      findings: ["error downgrade-fails 3"],
      lane: "failed",
    },
    good: {
      change: {
        "migrations/0002_labels.up.sql": sqlxUp,
        "migrations/0002_labels.down.sql": "ALTER TABLE users DROP COLUMN label;\n",
        "migrations/0003_labels.up.sql":
          "-- no-transaction\nCREATE INDEX CONCURRENTLY users_label_ix ON users (label);\n",
        "migrations/0003_labels.down.sql": "-- no-transaction\nDROP INDEX CONCURRENTLY users_label_ix;\n",
      },
    },
  },
  "12: a revision that cannot be undone, without and with a reason": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("city", sa.Text))',
          "raise NotImplementedError",
        ),
      ),
      // One thing, one error: the proof says the same.
      findings: ["error require-downgrade 0003"],
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("city", sa.Text))',
          'raise NotImplementedError("the cities came from the users themselves")',
        ),
      ),
    },
  },
  "12: a constraint that is validated, which nothing takes back": {
    base: project([
      sql("0001", null, ["CREATE TABLE users (id int PRIMARY KEY, age int)"], ["DROP TABLE users"]),
      sql(
        "0002",
        "0001",
        ["ALTER TABLE users ADD CONSTRAINT users_age CHECK (age > 0) NOT VALID"],
        ["ALTER TABLE users DROP CONSTRAINT users_age"],
      ),
    ]),
    bad: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          [
            "ALTER TABLE users VALIDATE CONSTRAINT users_age",
            "ALTER TABLE users ADD CONSTRAINT users_id CHECK (id > 0) NOT VALID",
          ],
          ["SELECT 1"],
        ),
      ),
      findings: ["error require-downgrade 0003"],
      lane: "failed",
    },
    good: {
      change: revisionFiles(sql("0003", "0002", ["ALTER TABLE users VALIDATE CONSTRAINT users_age"], [])),
    },
  },
  "12: a floor below which nothing is taken back": {
    base: project([
      revision("0001", null, 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))', ""),
    ]),
    args: ["--floor", "0002"],
    bad: {
      change: revisionFiles(
        revision("0002", "0001", 'op.add_column("users", sa.Column("city", sa.Text))', ""),
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("town", sa.Text))',
          'op.drop_column("users", "city")',
        ),
      ),
      findings: [
        `error ${residue} 0003 column public.users.city`,
        `error ${residue} 0003 column public.users.town`,
      ],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        revision("0002", "0001", 'op.add_column("users", sa.Column("city", sa.Text))', ""),
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("town", sa.Text))',
          'op.drop_column("users", "town")',
        ),
      ),
    },
  },
  "17: a revision that leaves its transaction": {
    base: project(),
    bad: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          ["COMMIT", "CREATE INDEX CONCURRENTLY users_email_ix ON users (email)"],
          ["DROP INDEX users_email_ix"],
        ),
      ),
      findings: ["warning revision-ends-transaction 0003"],
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'with op.get_context().autocommit_block():\n    op.create_index("users_email_ix", "users", ["email"], postgresql_concurrently=True)',
          'with op.get_context().autocommit_block():\n    op.drop_index("users_email_ix", postgresql_concurrently=True)',
        ),
      ),
    },
  },
  "17: an SQLx migration outside of a transaction that stops half-way on rows": {
    base: sqlxBase,
    bad: {
      change: {
        "migrations/0002_unique.up.sql":
          "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);\n",
        "migrations/0002_unique.down.sql": "-- no-transaction\nDROP INDEX CONCURRENTLY users_email_key;\n",
      },
      findings: ["warning may-fail-on-rows 2"],
    },
  },
  "19: a column that a downgrade adds again is last": {
    base: project(),
    bad: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          ["ALTER TABLE users DROP COLUMN nickname"],
          ["ALTER TABLE users ADD COLUMN nickname varchar(80)"],
        ),
      ),
      findings: ["error ban-drop-column 0003 column users.nickname"],
      notes: ["note upgrade-loses-data 0003 column public.users.nickname"],
    },
  },
};

testShapes(shapes);
