import { execFileSync } from "node:child_process";
import { chownSync, copyFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { ShadowDatabase } from "../../src/shadow/server";
import { type TestServer, testServer } from "../support/database";
import { startGate } from "../support/gate";
import { contentOf, query, restoreInto, takeBackup, type WorkFolder, workFolder } from "./backups";

let server: TestServer;
let database: ShadowDatabase;
let folder: WorkFolder;
let certificate: string;
beforeAll(async () => {
  server = await testServer();
  database = await server.database();
  folder = await workFolder();
  await query(database.address, "create table t (a int); insert into t values (1)");
  const [row] = await query(server.address, "select current_setting('data_directory') as directory");
  const directory = String(row?.directory);
  const [key, cert] = [join(directory, "tls.key"), join(directory, "tls.crt")];
  const words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  const names = ["-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", [...words, ...names, "-keyout", key, "-out", cert], { stdio: "pipe" });
  const { uid, gid } = statSync(directory);
  for (const file of [key, cert]) chownSync(file, uid, gid);
  certificate = join(folder.path, "ca.crt");
  copyFileSync(cert, certificate);
  for (const [name, value] of Object.entries({ ssl_key_file: key, ssl_cert_file: cert, ssl: "on" }))
    await query(server.address, `alter system set ${name} = '${value}'`);
  await query(server.address, "select pg_reload_conf()");
  // Everybody else is refused: what is written here went through TLS.
  const rules = join(directory, "pg_hba.conf");
  await query(server.address, `create role ada superuser login password 'ada password'`);
  execFileSync("sh", [
    "-c",
    `printf 'local all all trust\\nhostssl all ada all scram-sha-256\\nhost all ada all reject\\nhost all all all scram-sha-256\\n' > ${rules}`,
  ]);
  await query(server.address, "select pg_reload_conf()");
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const ada = (more: Partial<Address>): Address => ({
  ...database.address,
  user: "ada",
  password: "ada password",
  host: "localhost",
  ...more,
});

describe("over TLS", () => {
  test.each(["require", "verify-ca", "verify-full"] as const)(
    "sslmode=%s with the authority's file",
    async (sslmode) => {
      await using target = await server.database();
      const { location = "" } = await takeBackup(folder, ada({ sslmode, sslrootcert: certificate }));
      await restoreInto(
        folder,
        location,
        ada({ sslmode, sslrootcert: certificate, database: target.address.database }),
      );
      expect(await contentOf(target.address)).toEqual(await contentOf(database.address));
    },
  );

  test("sslmode=verify-full with the authorities that Node trusts", async () => {
    const { ended } = await startGate(["backup"], {
      cwd: folder.path,
      env: { DATABASE_URL: urlOf(ada({ sslmode: "verify-full" })), NODE_EXTRA_CA_CERTS: certificate },
    });
    const end = await ended;
    expect(end.code, end.stderr).toBe(0);
    expect(end.stderr).toBe("");
  });
});

test("over a Unix socket, with session settings in the address", async () => {
  const socket = server.shadow.socket;
  if (socket === undefined) throw new Error("the server of the tests has no socket");
  await using target = await server.database();
  const address: Address = {
    ...database.address,
    host: dirname(socket),
    password: undefined,
    options: "-c search_path=app -c work_mem=2MB",
  };
  const { location = "" } = await takeBackup(folder, address);
  await restoreInto(folder, location, { ...address, database: target.address.database });
  expect(await contentOf(target.address)).toEqual(await contentOf(database.address));
});
