import { readdirSync, readFileSync, existsSync } from "node:fs";
import { loadModule } from "libpg-query";
import { test } from "vitest";
import { dataQueries } from "../src/operations/data-query";
import { askDataQueries } from "../src/databases/postgres/ask-data-query";
import { readRows } from "../src/databases/postgres/row-snapshot";
import { rowLosses } from "../src/evidence/row-losses";
import { startServer } from "./databases/server";
test("corpus", async () => {
  await loadModule();
  await using server = await startServer();
  const client = await server.database("corpus");
  const address = { name: "X", host: "127.0.0.1", port: server.port, user: "postgres", password: undefined, database: "corpus", sslmode: "disable" as const };
  const root = "/tmp/lemmy/migrations";
  const count: Record<string, number> = {};
  let n = 0, failed = 0;
  for (const dir of readdirSync(root).sort()) {
    const file = `${root}/${dir}/up.sql`;
    if (!existsSync(file)) continue;
    const sql = readFileSync(file, "utf8");
    const queries = dataQueries(sql);
    for (const a of await askDataQueries(address, queries)) {
      n++;
      const reason = a.answer === "unknown" ? a.reason.replace(/"[^"]*"/g, "X").slice(0, 60) : a.answer + (a.answer === "fails" ? ` ${a.query.effect} ${a.rows} ${a.sqlstate}` : "");
      count[reason] = (count[reason] ?? 0) + 1;
      if (a.answer === "unknown" && !/does not exist/.test(a.reason) || a.answer === "fails" && a.query.effect === "fails") console.log(dir, a.query.words, a.query.sql, reason);
    }
    try { await client.query(sql); } catch (e) { failed++; if (failed < 15) console.log("FAILED", dir, (e as Error).message); await client.query("rollback").catch(() => {}); }
  }
  console.log(n, count, "failed migrations", failed);
  const a = performance.now();
  const s = await readRows(client);
  console.log("tables", s.size, Math.round(performance.now() - a), rowLosses(s, s).length, [...s.values()].filter((t) => t.unread).map((t) => [t.table, t.unread]));
}, 300000);
