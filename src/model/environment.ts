/** What is known of one environment of the setting `environments`. `name` is as the setting has it. */
export type EnvironmentState =
  | {
      readonly kind: "seen";
      readonly name: string;
      /** Host, port and database, or the record's file: no secret. */
      readonly where: string;
      /** When it was read, or the record was written; ISO 8601. */
      readonly time: string;
      /** The version table's content. */
      readonly heads: readonly string[];
      /** Where the tool writes a row for each revision that it applied, and a database was read. */
      readonly rows: readonly { readonly id: string; readonly checksum: string }[] | undefined;
    }
  | {
      readonly kind: "not read";
      readonly name: string;
      /** One sentence. */
      readonly reason: string;
      readonly do: string;
    };

export type SeenEnvironment = Extract<EnvironmentState, { readonly kind: "seen" }>;
