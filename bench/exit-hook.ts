// Preloaded into the gate: at its end, when its server was stopped and waited for, all that it used is its own.
import { writeFileSync } from "node:fs";
import { peakMemory, readUsage } from "./cpu";

const file = process.env.BENCH_EXIT_FILE;
if (file !== undefined) {
  process.on("exit", () =>
    writeFileSync(file, JSON.stringify({ cpu: readUsage([]).cpu, memory: peakMemory() })),
  );
}
