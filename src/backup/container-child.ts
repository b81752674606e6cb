import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { realpath } from "node:fs/promises";
import { UserError } from "../errors";
import { haltIfEnding, registerCleanup } from "../shadow/cleanup";
import { type Child, type ChildEnd, type ChildOptions, startChild } from "./child";
import { ask, type Engine, lastLines, ownLabel, removal } from "./container-engine";

/** Files of libpq's, by the variables that name them: copied into the container, because it sees none of this machine's. */
const fileVariables = ["PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"] as const;

/**
 * Starts a program of an image beside this process, as startChild does one of the machine: same pipes, same ends. It has the
 * network of docker's machine. Nothing that it reads or writes is logged, and the container is gone when it has ended.
 */
export async function startInContainer(
  engine: Engine,
  image: string,
  [program, ...words]: readonly [string, ...string[]],
  options: ChildOptions,
): Promise<Child> {
  await haltIfEnding();
  const name = `migration-gate-${randomBytes(8).toString("hex")}`;
  let removed: Promise<void> | undefined;
  const remove = () => {
    removed ??= ask(engine, removal(name)).then(() => unregister());
    return removed;
  };
  const unregister = registerCleanup({
    run: remove,
    runNow() {
      execFileSync(engine.file, removal(name), { env: { ...engine.env }, stdio: "ignore", timeout: 5_000 });
    },
  });
  try {
    const { variables, files } = await insideOf(options.env);
    await mustBeDone(engine, program, variables, [
      ...["create", "--name", name, ...ownLabel(), "--network", "host", "--interactive"],
      // Else the engine keeps all that the program writes, the whole dump, in a file of its own.
      ...["--log-driver", "none", "--entrypoint", program],
      // Names alone: the values are in the client's environment.
      ...Object.keys(variables).flatMap((variable) => ["--env", variable]),
      ...[image, ...words],
    ]);
    for (const { from, to } of files) await mustBeDone(engine, program, {}, ["cp", from, `${name}:${to}`]);
    // Not `run --rm`: against podman's service it returns 0 for a program that failed (podman issue 18889).
    const start = ["start", "--attach", "--interactive", name];
    const child = await startChild([engine.file, ...start], {
      ...options,
      env: engine.env,
      endElsewhere: remove,
    });
    return {
      ...child,
      ended: child.ended.then(async (end) => {
        const inside = await endInside(engine, name, end);
        await remove();
        return inside;
      }),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The container's variables, and the files that they name. */
async function insideOf(env: Readonly<Record<string, string>>): Promise<{
  readonly variables: Record<string, string>;
  readonly files: readonly { readonly from: string; readonly to: string }[];
}> {
  const wanted = Object.entries(env).filter(([variable]) => /^(?:PG\w+|LC_ALL|TZ)$/.test(variable));
  const variables = Object.fromEntries(wanted);
  const files: { from: string; to: string }[] = [];
  for (const variable of fileVariables) {
    const file = variables[variable];
    if (file === undefined || file === "system") continue;
    const to = `/migration-gate-${variable.toLowerCase()}`;
    variables[variable] = to;
    // libpq says what it makes of one that is missing, there as here.
    const from = await realpath(file).catch(() => undefined);
    if (from !== undefined) files.push({ from, to });
  }
  return { variables, files };
}

async function mustBeDone(
  engine: Engine,
  program: string,
  variables: Readonly<Record<string, string>>,
  words: readonly string[],
): Promise<void> {
  const { ok, stderr } = await ask(engine, words, variables);
  if (ok) return;
  throw new UserError({
    what: `No container could be made for ${program}.`,
    where: `pg-dump-image, ${engine.name} ${words[0]}`,
    seen: lastLines(stderr),
    do: `Mend what ${engine.name} says, or leave pg-dump-image out.`,
  });
}

/** What the engine noted of the program: the client's exit code says as much of the client as of the program. */
async function endInside(engine: Engine, container: string, end: ChildEnd): Promise<ChildEnd> {
  const format = "{{.State.ExitCode}} {{.State.OOMKilled}}";
  const { ok, stdout, stderr } = await ask(engine, ["inspect", "--format", format, container]);
  const [code = "", outOfMemory] = stdout.trim().split(" ");
  if (outOfMemory === "true") {
    return { code: null, signal: null, error: new Error("Its container was ended: it had no memory left.") };
  }
  if (ok && code !== "0") return { code: Number(code), signal: null };
  if (ok || end.code !== 0) return end;
  return { code: null, signal: null, error: new Error(lastLines(stderr)) };
}
