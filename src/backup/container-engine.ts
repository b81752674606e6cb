import { UserError } from "../errors";
import { childEnvironment } from "../executors/environment";
import { findInPath } from "../executors/executable";
import { type CommandResult, runProgram } from "../shadow/account";
import { isAbandoned, parseOwner, stateOf, thisOwner } from "../shadow/owner";
import { startChild } from "./child";

/** docker, or podman where docker is not there. */
export interface Engine {
  readonly name: "docker" | "podman";
  readonly file: string;
  /** What its client needs (DOCKER_HOST, the home with its credentials), and nothing that leads to a database. */
  readonly env: Readonly<Record<string, string>>;
}

/** On every container: who started it, as JSON. */
const ownerLabel = "migration-gate.owner";

/** A UserError where neither is on the PATH. */
export function findEngine(environment: NodeJS.ProcessEnv): Engine {
  for (const name of ["docker", "podman"] as const) {
    const file = findInPath(name, environment.PATH);
    // Its messages are read by their English words.
    if (file !== undefined) return { name, file, env: childEnvironment(environment, { LC_ALL: "C" }).env };
  }
  throw new UserError({
    what: "The setting pg-dump-image needs docker or podman, and neither is on the PATH.",
    where: "pg-dump-image",
    do: "Install one of them, or leave pg-dump-image out, so that a pg_dump of this machine or a fetched one is used.",
  });
}

/** Runs one of its commands to the end. */
export function ask(
  { file, env }: Engine,
  words: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return runProgram(file, words, { env: { ...env, ...more } });
}

/** The words that mark a container as this process's. */
export function ownLabel(): string[] {
  return ["--label", `${ownerLabel}=${JSON.stringify(thisOwner())}`];
}

/** Ends and removes a container, with the volumes that its image declares; says nothing of one that is not there. */
export function removal(container: string): string[] {
  return ["rm", "--force", "--volumes", container];
}

/**
 * Removes the containers of runs that were killed, and tells each by its name. Being its first question, it is also what
 * finds an engine that does not answer: a UserError.
 */
export async function removeLeftContainers(engine: Engine, notice: (text: string) => void): Promise<void> {
  const listed = await ask(engine, [
    ...["ps", "--all", "--no-trunc", "--filter", `label=${ownerLabel}`, "--format", "{{.ID}}"],
  ]);
  if (!listed.ok) throw notAnswering(engine, listed.stderr);
  const ids = listed.stdout.split("\n").filter((id) => id !== "");
  if (ids.length === 0) return;
  const format = `{{.Id}} {{.Name}} {{index .Config.Labels "${ownerLabel}"}}`;
  // One that ended meanwhile makes it fail, and the others are printed nevertheless.
  const { stdout } = await ask(engine, ["inspect", "--format", format, ...ids]);
  for (const line of stdout.split("\n")) {
    const [, id, name, label] = /^(\S+) \/?(\S+) (.*)$/.exec(line) ?? [];
    const owner = parseOwner(label ?? "");
    if (id === undefined || owner === undefined) continue;
    const state = stateOf(owner);
    if (state === "alive" || (state === "elsewhere" && !isAbandoned(new Date(owner.created)))) continue;
    if ((await ask(engine, removal(id))).ok)
      notice(`Removed the container ${name}, which a run that was killed left.`);
  }
}

function notAnswering({ name }: Engine, seen: string): UserError {
  const isForbidden = /permission denied/i.test(seen);
  return new UserError({
    what: `The setting pg-dump-image needs ${name}, which does not answer.`,
    where: "pg-dump-image",
    seen: lastLines(seen),
    do: isForbidden
      ? `Give this user the right to use ${name} (usermod -aG docker), or leave pg-dump-image out.`
      : `Start ${name}, or set DOCKER_HOST to where it is, or leave pg-dump-image out.`,
  });
}

/** The id of an image: what all programs are then run from, wherever its name points later. Pulled where it is not there. */
export async function imageId(
  engine: Engine,
  image: string,
  notice: (text: string) => void,
): Promise<string> {
  const inspect = () => ask(engine, ["image", "inspect", "--format", "{{.Id}}", image]);
  const there = await inspect();
  if (there.ok) return there.stdout.trim();
  notice(`Pulling the image ${image}.`);
  const pull = await startChild([engine.file, "pull", "--quiet", image], { env: engine.env, talks: true });
  pull.stdin.end();
  const { code, error } = await pull.ended;
  const pulled = code === 0 ? await inspect() : undefined;
  if (pulled?.ok === true) return pulled.stdout.trim();
  throw new UserError({
    what: `The image ${image} is not there, and cannot be pulled.`,
    where: "pg-dump-image",
    seen: lastLines(error?.message ?? pulled?.stderr ?? pull.said()),
    do: `Check its name, and that "${engine.name} pull ${image}" works here (for a private registry after ${engine.name} login).`,
  });
}

/** A client's complaint without the usage that it may print before it. */
export function lastLines(said: string): string {
  return said
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-4)
    .join("\n");
}
