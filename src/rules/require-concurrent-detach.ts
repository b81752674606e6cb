import { shownName } from "../operations/names";
import { only, type Rule } from "./rule";

export const requireConcurrentDetach: Rule = {
  severity: "warning",
  title: "Detach a partition CONCURRENTLY.",
  why: "A plain DETACH PARTITION takes ACCESS EXCLUSIVE on the whole partitioned table: all reads and writes of all partitions wait.",
  do: 'with op.get_context().autocommit_block(): op.execute("ALTER TABLE <table> DETACH PARTITION <partition> CONCURRENTLY") (PostgreSQL 14 and later), alone in its revision.',
  doInSql:
    "ALTER TABLE <table> DETACH PARTITION <partition> CONCURRENTLY (PostgreSQL 14 and later), alone in a file that begins with -- no-transaction.",
  aliases: ["squawk/ban-alter-table-detach-partition"],
  examples: {
    given: {
      upgrade: `op.execute("CREATE TABLE visits (day date) PARTITION BY RANGE (day)")
op.execute("CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")`,
      downgrade: `op.drop_table("visits")`,
    },
    bad: {
      upgrade: `op.execute("ALTER TABLE visits DETACH PARTITION visits_2026")`,
      downgrade: `op.execute("ALTER TABLE visits ATTACH PARTITION visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")`,
    },
    good: {
      upgrade: `with op.get_context().autocommit_block():
    op.execute("ALTER TABLE visits DETACH PARTITION visits_2026 CONCURRENTLY")
op.execute("ALTER TABLE visits_2026 DROP CONSTRAINT IF EXISTS visits_2026_day_check")`,
      downgrade: `op.execute("ALTER TABLE visits ATTACH PARTITION visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")`,
    },
  },
  check: ({ operations }) =>
    only(operations, "detachPartition")
      .filter(({ concurrently }) => !concurrently)
      .map(({ origin, table, partition }) => ({
        at: origin,
        object: `table ${shownName(partition)}`,
        what: `The partition "${shownName(partition)}" is detached without CONCURRENTLY: reads and writes of "${shownName(table)}" wait.`,
      })),
};
