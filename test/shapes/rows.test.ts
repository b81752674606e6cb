import { lintOff } from "../support/gate";
import { landed, project, revision, revisionFiles, type Shape, sql } from "./shape";
import { testShapes } from "./table";

/* Shapes 7 to 9 and 16 of real projects: what rows lose, and what they stop. */

const seeded = [
  ...landed,
  sql(
    "0003",
    "0002",
    ["INSERT INTO tenants (id, slug) VALUES (1, 'default')"],
    ["DELETE FROM tenants WHERE id = 1"],
  ),
];

const shapes: Readonly<Record<string, Shape>> = {
  "7: a downgrade that deletes the tenant that it seeded, and all that hangs on it": {
    base: project(),
    bad: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          ["INSERT INTO tenants (id, slug) VALUES (77, 'default')"],
          ["DELETE FROM tenants WHERE slug = 'default'"],
        ),
      ),
      findings: ["error downgrade-loses-data 0003 table public.users"],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          ["INSERT INTO tenants (id, slug) VALUES (77, 'default') ON CONFLICT DO NOTHING"],
          [
            "DELETE FROM tenants WHERE slug = 'default' AND NOT EXISTS (SELECT FROM users WHERE tenant_id = tenants.id)",
          ],
        ),
      ),
    },
  },
  "7: a later downgrade that empties the table of a landed seed": {
    base: project(seeded),
    bad: {
      change: revisionFiles(
        sql("0004", "0003", ["UPDATE tenants SET slug = 'main' WHERE id = 1"], ["DELETE FROM tenants"]),
      ),
      findings: [
        "error downgrade-loses-data 0004 table public.tenants",
        "error downgrade-loses-data 0004 table public.users",
      ],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        sql(
          "0004",
          "0003",
          ["UPDATE tenants SET slug = 'main' WHERE id = 1"],
          ["UPDATE tenants SET slug = 'default' WHERE id = 1"],
        ),
      ),
    },
  },
  "8: a column that is split, and not copied back": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.create_table("profiles", sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), primary_key=True), sa.Column("note", sa.Text))\nop.drop_column("users", "note")',
          'op.add_column("users", sa.Column("note", sa.Text))\nop.drop_table("profiles")',
        ),
      ),
      findings: ["error ban-drop-column 0003 column users.note"],
      notes: ["note upgrade-loses-data 0003 column public.users.note"],
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.create_table("profiles", sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True), sa.Column("note", sa.Text))\nop.execute("INSERT INTO profiles (user_id, note) SELECT id, note FROM users")\nop.drop_column("users", "note")',
          'op.add_column("users", sa.Column("note", sa.Text))\nop.execute("UPDATE users SET note = profiles.note FROM profiles WHERE profiles.user_id = users.id")\nop.drop_table("profiles")',
        ),
      ),
      findings: ["error ban-drop-column 0003 column users.note"],
    },
  },
  "8: a downgrade that sets NOT NULL over what the upgrade let in": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.alter_column("users", "email", nullable=True)',
          'op.alter_column("users", "email", nullable=False)',
        ),
      ),
      findings: [],
      notes: ["note may-fail-on-rows 0003"],
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.alter_column("users", "email", nullable=True)',
          'op.execute("UPDATE users SET email = \'unknown-\' || id WHERE email IS NULL")\nop.alter_column("users", "email", nullable=False)',
        ),
      ),
    },
  },
  "8: a narrowed type": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.alter_column("users", "nickname", type_=sa.String(10))',
          'op.alter_column("users", "nickname", type_=sa.String(80))',
        ),
      ),
      findings: ["warning ban-table-rewrite 0003 table users", "warning may-fail-on-rows 0003"],
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.alter_column("users", "nickname", type_=sa.String(200))',
          'op.execute("ALTER TABLE users ALTER COLUMN nickname TYPE varchar(80) USING left(nickname, 80)")',
        ),
      ),
    },
  },
  "8: a narrowed type that cuts without a word": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.execute("ALTER TABLE users ALTER COLUMN nickname TYPE varchar(5) USING left(nickname, 5)")',
          'op.alter_column("users", "nickname", type_=sa.String(80))',
        ),
      ),
      findings: [
        "warning ban-table-rewrite 0003 column users.nickname",
        "warning upgrade-loses-data 0003 column public.users.nickname",
      ],
    },
  },
  "9: an error that the revision swallows": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'try:\n    op.execute("CREATE UNIQUE INDEX users_note_key ON users (note)")\nexcept Exception:\n    pass',
          'op.execute("DROP INDEX users_note_key")',
        ),
      ),
      findings: [
        "warning may-fail-on-rows 0003",
        "warning require-concurrent-index-creation 0003 index users_note_key",
      ],
    },
  },
  "16: a unique index over duplicates": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'with op.get_context().autocommit_block():\n    op.create_index("users_email_key", "users", ["email"], unique=True, postgresql_concurrently=True)',
          'op.drop_index("users_email_key")',
        ),
      ),
      findings: ["warning may-fail-on-rows 0003"],
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.execute("UPDATE users SET email = email || \'-\' || id WHERE id NOT IN (SELECT min(id) FROM users GROUP BY email)")\nwith op.get_context().autocommit_block():\n    op.create_index("users_email_key", "users", ["email"], unique=True, postgresql_concurrently=True)',
          'op.drop_index("users_email_key")',
        ),
      ),
      notes: ["note upgrade-loses-data 0003 column public.users.email"],
    },
  },
  "16: NOT NULL over NULL": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.alter_column("users", "nickname", nullable=False)',
          'op.alter_column("users", "nickname", nullable=True)',
        ),
      ),
      findings: [
        "error require-check-before-not-null 0003 column users.nickname",
        "warning may-fail-on-rows 0003",
      ],
    },
    good: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          ["ALTER TABLE users ADD CONSTRAINT nick_there CHECK (nickname IS NOT NULL) NOT VALID"],
          ["ALTER TABLE users DROP CONSTRAINT nick_there"],
        ),
        sql(
          "0004",
          "0003",
          [
            "UPDATE users SET nickname = 'user ' || id WHERE nickname IS NULL",
            "ALTER TABLE users VALIDATE CONSTRAINT nick_there",
          ],
          [
            "ALTER TABLE users DROP CONSTRAINT nick_there, ADD CONSTRAINT nick_there CHECK (nickname IS NOT NULL) NOT VALID",
          ],
        ),
      ),
      notes: ["note upgrade-loses-data 0004 column public.users.nickname"],
    },
  },
  "16: a required column without a default": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("role", sa.Text, nullable=False))',
          'op.drop_column("users", "role")',
        ),
      ),
      findings: ["error fails-on-rows 0003", "error require-column-default 0003 column users.role"],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("role", sa.Text, nullable=False, server_default="member"))',
          'op.drop_column("users", "role")',
        ),
      ),
    },
  },
  "16: a bind that only fails with rows": {
    base: project(),
    bad: {
      change: revisionFiles(
        revision(
          "0003",
          "0002",
          'op.add_column("users", sa.Column("plan_id", sa.Integer))\nbind = op.get_bind()\nfor user_id, plan in bind.execute(sa.text("SELECT id, plan FROM users")):\n    bind.execute(sa.text("UPDATE users SET plan_id = :plan WHERE id = :id"), {"plan": {"gold": 1}[plan], "id": user_id})',
          'op.drop_column("users", "plan_id")',
        ),
      ),
      findings: ["error fails-on-rows 0003"],
      lane: "failed",
    },
  },
  "16: a foreign key that is dropped, and comes back on a column that the downgrade fills": {
    base: project(),
    bad: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          ["ALTER TABLE users DROP CONSTRAINT users_tenant_fk"],
          [
            "UPDATE users SET tenant_id = -1",
            "ALTER TABLE users ADD CONSTRAINT users_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE",
          ],
        ),
      ),
      findings: ["error fails-on-rows 0003"],
      lane: "failed",
    },
    good: {
      change: revisionFiles(
        sql(
          "0003",
          "0002",
          ["ALTER TABLE users DROP CONSTRAINT users_tenant_fk"],
          [
            "ALTER TABLE users ADD CONSTRAINT users_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE",
          ],
        ),
      ),
      notes: ["note may-fail-on-rows 0003"],
    },
  },
  "16: a foreign key on a column that had none": {
    base: {
      ...project([
        revision(
          "0001",
          null,
          'op.create_table("a", sa.Column("id", sa.Integer, primary_key=True))\nop.create_table("b", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a_id", sa.Integer))',
          'op.drop_table("b")\nop.drop_table("a")',
        ),
      ]),
      ...lintOff,
    },
    bad: {
      change: revisionFiles(
        revision(
          "0002",
          "0001",
          'op.create_foreign_key("b_a_fk", "b", "a", ["a_id"], ["id"])',
          'op.drop_constraint("b_a_fk", "b")',
        ),
      ),
      findings: ["warning may-fail-on-rows 0002"],
    },
  },
};

testShapes(shapes);
