import type { Connection, Submittable } from "pg";
import type { RecordedStatement } from "../model/statement";

/** The parts of pg's connection that its type description leaves out (pg 8.23, lib/connection.js). */
interface WireConnection {
  query(text: string): void;
  parse(message: { name: string; text: string; types: readonly number[] }): void;
  bind(message: { values: readonly (string | Buffer | null)[] }): void;
  execute(message: { portal: string; rows: number }): void;
  sync(): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/**
 * A recorded statement, sent again as it was: the same protocol, the same declared types, values in the same
 * format. pg calls the handlers; rows are thrown away.
 */
export class ReplayedQuery implements Submittable {
  readonly done: Promise<void>;
  private resolve: () => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor(
    private readonly statement: RecordedStatement,
    private readonly copy: Buffer | undefined,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  submit(connection: Connection): void {
    const wire = connection as unknown as WireConnection;
    const { protocol, sql, values, valueTypes } = this.statement;
    if (protocol === "simple") {
      wire.query(sql);
      return;
    }
    wire.parse({ name: "", text: sql, types: valueTypes });
    wire.bind({
      values: values.map((value) =>
        value === null || typeof value === "string" ? value : Buffer.from(value.hex, "hex"),
      ),
    });
    wire.execute({ portal: "", rows: 0 });
    wire.sync();
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handleCopyData(): void {}

  handleCopyInResponse(connection: WireConnection): void {
    if (this.copy === undefined) connection.sendCopyFail("its data was not kept");
    else {
      connection.sendCopyFromChunk(this.copy);
      connection.endCopyFrom();
    }
    // In the extended protocol the Sync sent before was thrown away by the server.
    if (this.statement.protocol === "extended") connection.sync();
  }

  /** pg forgets a query that failed: handleReadyForQuery does not follow. */
  handleError(error: Error): void {
    this.reject(error);
  }

  handleReadyForQuery(): void {
    this.resolve();
  }
}
