import { harmless, type Paint } from "./terminal";

/** What a restore did, as far as a person reads it. */
interface RestoreFacts {
  readonly file: string;
  readonly sha256: string;
  readonly hasManifest: boolean;
  readonly target: { readonly host: string; readonly port: number; readonly database: string };
  readonly replaced: { readonly kept: string; readonly back: string; readonly drop: string } | undefined;
  readonly warnings: readonly string[];
  readonly milliseconds: number;
  readonly record: string;
}

/** A finished restore, for a terminal. */
export function restoreText(report: RestoreFacts, paint: Paint): string {
  const { target, replaced } = report;
  const lines = [
    paint.green(`Restored ${harmless(report.file)}`),
    `  into      "${harmless(target.database)}" on ${harmless(target.host)}:${target.port}, in ${(report.milliseconds / 1000).toFixed(1)} s`,
    `  sha256    ${report.sha256}${report.hasManifest ? ", as in its manifest" : " (there is no manifest beside it to compare with)"}`,
    `  record    ${harmless(report.record)}`,
    ...report.warnings.map((warning) => paint.yellow(`  warning   ${harmless(warning)}`)),
  ];
  if (replaced !== undefined) {
    lines.push(
      `The database that was there is kept as "${harmless(replaced.kept)}". In psql, connected to another database:`,
      `  back      ${harmless(replaced.back)}`,
      `  no more   ${harmless(replaced.drop)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
