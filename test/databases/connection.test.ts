import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { formatError, UserError } from "../../src/errors";
import { serverAccount } from "../../src/shadow/account";
import { type TestServer, testClient, testServer } from "../support/database";

describe("a connection", () => {
  let server: TestServer;
  let dataDirectory: string;
  const at = (change: Partial<Address> = {}): Address => ({
    ...server.address,
    name: "DATABASE_URL",
    ...change,
  });
  const sql = async (text: string) => {
    await using connection = await testClient(server.address);
    return await connection.client.query(text);
  };
  beforeAll(async () => {
    server = await testServer();
    dataDirectory = (await sql("SELECT current_setting('data_directory') AS directory")).rows[0].directory;
    await sql(
      "CREATE ROLE ada LOGIN PASSWORD 'hunter2'; CREATE ROLE limited LOGIN PASSWORD 'hunter2' CONNECTION LIMIT 0",
    );
    await sql("CREATE DATABASE closed");
    await sql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function messageOf(address: Address, timeoutMs = 5_000): Promise<string> {
    const error: unknown = await connect(address, { timeoutMs }).then(
      (client) => client.end(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    const message = formatError(error as UserError);
    expect(message).not.toContain("hunter2");
    return message.replaceAll(String(server.address.port), "PORT");
  }

  const where = (database: string, user: string) =>
    `where DATABASE_URL: 127.0.0.1:PORT, database "${database}", user "${user}"`;

  test("tells its name, its session settings, and ends its query when the server goes", async () => {
    const address = at({ options: "-c search_path=boards" });
    const client = await connect(address, { applicationName: "gate-test" });
    const { rows } = await client.query(
      "SELECT current_setting('application_name') AS name, current_setting('search_path') AS path, pg_backend_pid() AS pid",
    );
    expect(rows).toEqual([{ name: "gate-test", path: "boards", pid: expect.any(Number) }]);
    const query = client.query("SELECT pg_sleep(60)");
    const ended = expect(query).rejects.toThrow("terminating connection");
    await sql(`SELECT pg_terminate_backend(${rows[0].pid})`);
    await ended;
    await client.end();
  });

  test.each<[string, Partial<Address>, string[]]>([
    [
      "a wrong password",
      { user: "ada", password: "hunter22" },
      [
        'error: The password of user "ada" was refused.',
        where("postgres", "ada"),
        'seen  password authentication failed for user "ada" (28P01)',
        "do    Correct the password in DATABASE_URL; characters such as @ : / % # must be percent-encoded.",
      ],
    ],
    [
      "no password",
      { user: "ada", password: undefined },
      [
        'error: 127.0.0.1:PORT asks for the password of user "ada", and DATABASE_URL has none.',
        where("postgres", "ada"),
        "do    Put it into DATABASE_URL: postgresql://user:password@host/database.",
      ],
    ],
    [
      "an unknown database",
      { database: "bords" },
      [
        'error: There is no database "bords" on 127.0.0.1:PORT.',
        where("bords", "postgres"),
        'seen  database "bords" does not exist (3D000)',
        "do    Correct the database in DATABASE_URL, or create it.",
      ],
    ],
    [
      "a database without the right to connect",
      { user: "ada", password: "hunter2", database: "closed" },
      [
        'error: User "ada" may not connect to the database "closed".',
        where("closed", "ada"),
        'seen  permission denied for database "closed" (42501)',
        'do    GRANT CONNECT ON DATABASE "closed" TO "ada";',
      ],
    ],
    [
      "too many connections",
      { user: "limited", password: "hunter2" },
      [
        'error: 127.0.0.1:PORT has no connection left for user "limited".',
        where("postgres", "limited"),
        'seen  too many connections for role "limited" (53300)',
        "do    Close idle connections or raise max_connections, then run again.",
      ],
    ],
    [
      "TLS that the server does not have",
      { sslmode: "require" },
      [
        "error: 127.0.0.1:PORT does not offer TLS, and sslmode=require asks for it.",
        where("postgres", "postgres"),
        "do    Turn TLS on at the server, or write sslmode=disable in DATABASE_URL.",
      ],
    ],
    [
      "a certificate file that is not there",
      { sslmode: "verify-full", sslrootcert: "/nowhere/ca.pem" },
      [
        "error: The file /nowhere/ca.pem cannot be read.",
        "where DATABASE_URL, sslrootcert",
        "do    Correct the path.",
      ],
    ],
    [
      "a socket that is not there",
      { host: "/nowhere" },
      [
        "error: There is no server socket .s.PGSQL.PORT in /nowhere.",
        'where DATABASE_URL: the socket in /nowhere (port PORT), database "postgres", user "postgres"',
        "seen  connect ENOENT /nowhere/.s.PGSQL.PORT (ENOENT)",
        "do    Correct host and port in DATABASE_URL, or start the server.",
      ],
    ],
  ])("says %s", async (_, change, lines) => {
    expect(await messageOf(at(change))).toBe(lines.join("\n"));
  });

  describe("to something else", () => {
    async function listening(
      onConnection: (server: Server) => Server,
    ): Promise<Disposable & { port: number }> {
      const listener = onConnection(createServer());
      await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
      return {
        port: (listener.address() as { port: number }).port,
        [Symbol.dispose]: () => void listener.close(),
      };
    }

    test("nothing that listens", async () => {
      const closed = await listening((listener) => listener);
      closed[Symbol.dispose]();
      for (const host of ["127.0.0.1", "localhost"]) {
        expect(await messageOf(at({ host, port: closed.port }))).toMatch(
          `error: Nothing accepts connections at ${host}:`,
        );
      }
    });

    test("one that never answers", async () => {
      using silent = await listening((listener) =>
        listener.on("connection", (socket) => socket.on("error", () => {})),
      );
      const begin = Date.now();
      expect(await messageOf(at({ port: silent.port }), 300)).toMatch(
        /^error: 127\.0\.0\.1:\d+ did not answer in time\./,
      );
      expect(Date.now() - begin).toBeLessThan(9_000);
    });

    test("one that hangs up", async () => {
      using closing = await listening((listener) => listener.on("connection", (socket) => socket.destroy()));
      expect(await messageOf(at({ port: closing.port }))).toMatch(
        /closed the connection before it was ready\./,
      );
    });

    test("one that speaks HTTP", async () => {
      using web = await listening((listener) =>
        listener.on("connection", (socket) =>
          socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"),
        ),
      );
      expect(await messageOf(at({ port: web.port }))).toMatch("Check that a PostgreSQL server listens there");
    });

    test("a server that is still starting is waited for", async () => {
      const refusal = Buffer.from("SFATAL\0C57P03\0Mthe database system is starting up\0\0");
      const frame = Buffer.concat([Buffer.from("E\0\0\0"), Buffer.from([refusal.length + 4]), refusal]);
      let connections = 0;
      using starting = await listening((listener) =>
        listener.on("connection", (socket) => {
          connections += 1;
          socket.on("error", () => {});
          if (connections < 3) socket.once("data", () => socket.end(frame));
          else socket.pipe(createConnection(server.address.port, "127.0.0.1")).pipe(socket);
        }),
      );
      await using connection = await testClient(at({ port: starting.port }));
      expect((await connection.client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
      expect(connections).toBe(3);
    });

    test("a host name that nobody knows", async () => {
      expect(await messageOf(at({ host: "no-such-host.invalid" }))).toMatch(
        /^error: The host name no-such-host\.invalid (is not known|could not be looked up)\./,
      );
    });
  });

  describe.skipIf(!hasOpenssl())("to a server that demands TLS", () => {
    let authority: string;
    beforeAll(async () => {
      const file = (name: string) => join(dataDirectory, name);
      authority = file("server.crt");
      execFileSync(
        "openssl",
        [
          ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
          ...["-addext", "subjectAltName=DNS:localhost", "-keyout", file("server.key"), "-out", authority],
        ],
        { stdio: "ignore" },
      );
      const account = serverAccount();
      for (const name of ["server.key", "server.crt"]) {
        chmodSync(file(name), 0o600);
        if (account !== undefined) chownSync(file(name), account.uid, account.gid);
      }
      const rules = readFileSync(file("pg_hba.conf"), "utf8");
      writeFileSync(
        file("pg_hba.conf"),
        `hostssl all ada all scram-sha-256\nhostnossl all ada all reject\n${rules}`,
      );
      await sql("ALTER SYSTEM SET ssl = on");
      await sql("SELECT pg_reload_conf()");
      for (let tries = 0; tries < 100 && (await sql("SHOW ssl")).rows[0].ssl !== "on"; tries++)
        await sleep(20);
    });

    const ada = (change: Partial<Address> = {}) => at({ user: "ada", password: "hunter2", ...change });
    const isEncrypted = async (address: Address): Promise<boolean> => {
      await using connection = await testClient(address);
      const { rows } = await connection.client.query(
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
      );
      return rows[0].ssl;
    };

    test.each([["allow"], ["prefer"], ["require"]] as const)(
      "sslmode=%s connects with TLS",
      async (sslmode) => {
        expect(await isEncrypted(ada({ sslmode }))).toBe(true);
      },
    );

    test("sslmode=verify-ca takes any host name, verify-full only the certificate's", async () => {
      expect(await isEncrypted(ada({ sslmode: "verify-ca", sslrootcert: authority }))).toBe(true);
      expect(
        await isEncrypted(ada({ sslmode: "verify-full", sslrootcert: authority, host: "localhost" })),
      ).toBe(true);
      expect(await messageOf(ada({ sslmode: "verify-full", sslrootcert: authority }))).toMatch(
        "error: The TLS certificate of 127.0.0.1:PORT was issued for another host name.",
      );
    });

    test("an authority that is not known is named with the remedy", async () => {
      const message = await messageOf(ada({ sslmode: "verify-full", host: "localhost" }));
      expect(message).toMatch(
        "error: The TLS certificate of localhost:PORT is not trusted with sslmode=verify-full.",
      );
      expect(message).toMatch(
        "do    Add sslrootcert=<file with the authority's certificate> to the URL in DATABASE_URL.",
      );
    });

    test("sslmode=disable is told to be the reason", async () => {
      expect(await messageOf(ada({ sslmode: "disable" }))).toBe(
        [
          'error: 127.0.0.1:PORT accepts user "ada" over TLS only.',
          where("postgres", "ada"),
          'seen  pg_hba.conf rejects connection for host "127.0.0.1", user "ada", database "postgres", no encryption (28000)',
          "do    Add sslmode=require to the URL in DATABASE_URL.",
        ].join("\n"),
      );
    });

    test("sslmode=prefer goes on without TLS where the rules want that", async () => {
      const file = join(dataDirectory, "pg_hba.conf");
      writeFileSync(file, `hostssl all limited all reject\n${readFileSync(file, "utf8")}`);
      await sql("SELECT pg_reload_conf(); ALTER ROLE limited CONNECTION LIMIT -1");
      await sleep(200);
      expect(await isEncrypted(at({ user: "limited", password: "hunter2", sslmode: "prefer" }))).toBe(false);
    });
  });
});

function hasOpenssl(): boolean {
  return (process.env.PATH ?? "").split(":").some((directory) => existsSync(join(directory, "openssl")));
}
