import type { Client } from "pg";
import { type Address, connect } from "../../src/databases/postgres/connection";
import type { ShadowDatabase, ShadowOptions, ShadowServer } from "../../src/shadow/server";
import { startShadow } from "../../src/shadow/start";

/** A private server for one test file, with the shadow server's own code: nothing is shared with other files. */
export interface TestServer extends AsyncDisposable {
  readonly shadow: ShadowServer;
  readonly address: Address;
  /** A new empty database. */
  database(purpose?: string): Promise<ShadowDatabase>;
}

/** `await using server = await testServer()`, or in beforeAll and afterAll. */
export async function testServer(options: ShadowOptions = {}): Promise<TestServer> {
  const shadow = await startShadow(options);
  return {
    shadow,
    address: shadow.address,
    database: (purpose = "test") => shadow.createDatabase(purpose),
    [Symbol.asyncDispose]: () => shadow[Symbol.asyncDispose](),
  };
}

export interface TestClient extends AsyncDisposable {
  readonly client: Client;
}

/** A connection that ends with its block. */
export async function testClient(address: Address): Promise<TestClient> {
  const client = await connect(address);
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
