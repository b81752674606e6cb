import type { Observed } from "./observed";

/** Made by `npm run observe`: what PostgreSQL did with the examples; test/rules/examples.test.ts holds it. */
export const observed: Readonly<Record<string, Observed>> = {
  "ban-drop-column": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users DROP COLUMN visits",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "COMMENT ON COLUMN users.visits IS 'unused since v1.8'",
          locks: ["SHARE UPDATE EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "ban-drop-table": {
    bad: {
      statements: [
        {
          sql: "DROP TABLE users",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "COMMENT ON TABLE users IS 'unused since v1.8'",
          locks: ["SHARE UPDATE EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "ban-rename-column": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users RENAME email TO address",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "ALTER TABLE users ADD COLUMN address VARCHAR(100)",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "ban-rename-table": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users RENAME TO people",
          locks: ["ACCESS EXCLUSIVE on people"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "CREATE VIEW people AS SELECT id, email, visits FROM users",
          locks: ["ACCESS SHARE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "ban-table-rewrite": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users ALTER COLUMN visits TYPE BIGINT",
          locks: ["ACCESS EXCLUSIVE on users", "SHARE on users"],
          rewrites: ["users"],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "ALTER TABLE users ALTER COLUMN email TYPE VARCHAR(200)",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "require-batched-backfill": {
    bad: {
      statements: [
        {
          sql: "UPDATE users SET visits = 0",
          locks: ["ROW EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "UPDATE users SET visits = 0 WHERE id >= 0 AND id < 1000",
          locks: ["ROW EXCLUSIVE on users"],
          rewrites: [],
        },
        {
          sql: "UPDATE users SET visits = 0 WHERE id >= 1000 AND id < 2000",
          locks: ["ROW EXCLUSIVE on users"],
          rewrites: [],
        },
        {
          sql: "UPDATE users SET visits = 0 WHERE id >= 2000 AND id < 3000",
          locks: ["ROW EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "require-check-before-not-null": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "ALTER TABLE users ADD CONSTRAINT email_there CHECK (email IS NOT NULL) NOT VALID",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "require-column-default": {
    bad: {
      statements: [],
      failure: '23502: column "country" of relation "users" contains null values',
    },
    good: {
      statements: [
        {
          sql: "ALTER TABLE users ADD COLUMN country VARCHAR(2) DEFAULT 'DE' NOT NULL",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "require-concurrent-detach": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE visits DETACH PARTITION visits_2026",
          locks: ["ACCESS EXCLUSIVE on visits", "ACCESS EXCLUSIVE on visits_2026"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "ALTER TABLE visits DETACH PARTITION visits_2026 CONCURRENTLY",
          locks: ["SHARE UPDATE EXCLUSIVE on visits at first"],
          rewrites: [],
        },
        {
          sql: "ALTER TABLE visits_2026 DROP CONSTRAINT IF EXISTS visits_2026_day_check",
          locks: ["ACCESS EXCLUSIVE on visits_2026"],
          rewrites: [],
        },
      ],
    },
  },
  "require-concurrent-index-creation": {
    bad: {
      statements: [
        {
          sql: "CREATE INDEX users_email ON users (email)",
          locks: ["SHARE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "CREATE INDEX CONCURRENTLY users_email ON users (email)",
          locks: ["SHARE UPDATE EXCLUSIVE on users at first"],
          rewrites: [],
        },
      ],
    },
  },
  "require-concurrent-index-deletion": {
    bad: {
      statements: [
        {
          sql: "DROP INDEX users_email",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "DROP INDEX CONCURRENTLY users_email",
          locks: ["SHARE UPDATE EXCLUSIVE on users at first"],
          rewrites: [],
        },
      ],
    },
  },
  "require-concurrent-refresh": {
    bad: {
      statements: [
        {
          sql: "REFRESH MATERIALIZED VIEW totals",
          locks: [
            "ACCESS EXCLUSIVE on totals",
            "EXCLUSIVE on totals",
            "SHARE on totals",
            "ACCESS SHARE on users",
          ],
          rewrites: ["totals"],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
          locks: [
            "ACCESS SHARE on totals",
            "EXCLUSIVE on totals",
            "ROW EXCLUSIVE on totals",
            "ACCESS SHARE on users",
          ],
          rewrites: [],
        },
      ],
    },
  },
  "require-constraint-using-index": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email)",
          locks: ["ACCESS EXCLUSIVE on users", "SHARE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email)",
          locks: ["SHARE UPDATE EXCLUSIVE on users at first"],
          rewrites: [],
        },
        {
          sql: "ALTER TABLE users ADD CONSTRAINT users_email UNIQUE USING INDEX users_email",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "require-downgrade": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users ADD COLUMN country VARCHAR(2)",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "ALTER TABLE users ADD COLUMN country VARCHAR(2)",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
  "require-not-valid-constraint": {
    bad: {
      statements: [
        {
          sql: "ALTER TABLE users ADD CONSTRAINT visits_positive CHECK (visits >= 0)",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
    good: {
      statements: [
        {
          sql: "ALTER TABLE users ADD CONSTRAINT visits_positive CHECK (visits >= 0) NOT VALID",
          locks: ["ACCESS EXCLUSIVE on users"],
          rewrites: [],
        },
      ],
    },
  },
};
