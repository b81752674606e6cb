import type { Client } from "pg";
import type { Address } from "../databases/postgres/connection";
import { redact } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { endText } from "./child";
import { startInContainer } from "./container-child";
import { findEngine, imageId, lastLines, removeLeftContainers } from "./container-engine";
import { connectionArgument, libpqEnvironment, offlineEnvironment } from "./libpq";
import type { ProgramName, ProgramSearch, Programs } from "./programs";
import { tlsFiles } from "./tls-files";

/** A registry's host and port, a path, a tag and a digest. */
const imageName = /^[a-z0-9][\w.-]*(?::\d+(?=\/))?(?:\/[\w.-]+)*(?::[\w.-]+)?(?:@\w+:\w+)?$/i;

/** The programs of the image that the setting pg-dump-image names, run by docker or podman. Nothing of them connects yet. */
export async function imagePrograms(
  image: string,
  { environment, host, progress }: ProgramSearch,
): Promise<Programs> {
  const where = `pg-dump-image: ${image}`;
  if (!imageName.test(image)) {
    throw new UserError({
      what: "The setting pg-dump-image is not the name of a container image.",
      where,
      do: "Set it to a name as docker pull takes it, e.g. postgres:17 or registry.example/tools/postgres@sha256:….",
    });
  }
  if (host.startsWith("/")) {
    throw new UserError({
      what: "The address leads to a Unix socket, which a program in a container does not see.",
      where: `${where}; host ${host}`,
      do: "Use host=localhost in the address (the server must listen there), or leave pg-dump-image out.",
    });
  }
  const engine = findEngine(environment);
  await removeLeftContainers(engine, progress);
  const id = await imageId(engine, image, progress);
  const start: Programs["start"] = (program, words, options) =>
    startInContainer(engine, id, [program, ...words], options);
  const version = async (program: ProgramName): Promise<RegExpExecArray> => {
    const child = await start(program, ["--version"], { env: offlineEnvironment(), talks: true });
    child.stdin.end();
    const end = await child.ended;
    const found = /\(PostgreSQL\) ((\d+)[^\s]*)/.exec(child.said());
    if (end.code === 0 && found !== null) return found;
    throw new UserError({
      what: `The image ${image} has no ${program} that runs.`,
      where,
      seen: [lastLines(child.said()), endText(end)].filter((text) => text !== "").join("\n"),
      do: "Name an image with PostgreSQL's client programs on its PATH, e.g. postgres:17.",
    });
  };
  const dump = await version("pg_dump");
  await version("pg_restore");
  return { image, version: dump[1]!, major: Number(dump[2]), start };
}

const startTimeSql =
  "select (pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint::text";

export interface SameServer {
  readonly programs: Programs;
  readonly address: Address;
  readonly environment: NodeJS.ProcessEnv;
  /** Connected to that address. */
  readonly client: Client;
}

/**
 * A UserError where programs in a container reach no server by this address, or another one than we do: docker may run on
 * another machine, and localhost is a server there, too.
 */
export async function requireSameServer({
  programs,
  address,
  environment,
  client,
}: SameServer): Promise<void> {
  if (programs.image === undefined) return;
  const { rows } = await client.query<[string]>({ text: startTimeSql, rowMode: "array" });
  const tls = await tlsFiles(address, environment);
  try {
    const env = libpqEnvironment(address, {
      applicationName: "migration-gate backup",
      authorityFile: tls.file,
    });
    const words = ["--no-psqlrc", "--quiet", "--no-password", "--tuples-only", "--no-align"];
    words.push(`--command=${startTimeSql}`, connectionArgument(address));
    const child = await programs.start("psql", words, { env, talks: true });
    child.stdin.end();
    const end = await child.ended;
    const said = child.said().trim();
    if (end.code === 0 && said.split("\n").at(-1) === rows[0]?.[0]) return;
    const where = `pg-dump-image: ${programs.image}; ${address.host}:${address.port}, database "${address.database}", user "${address.user}"`;
    throw new UserError({
      what:
        end.code === 0
          ? "In its container, pg_dump would reach another server than the gate does."
          : "In its container, pg_dump would not reach the server.",
      where,
      seen:
        end.code === 0
          ? "The two servers were not started at the same time."
          : redact(lastLines(said), address),
      why: "The container has the network of the machine on which docker runs, and localhost is that machine.",
      do: "Use a docker on this machine (Docker Desktop: with host networking) or a host name that leads to the server from there, too; or leave pg-dump-image out.",
    });
  } finally {
    await tls.remove();
  }
}
