import type { BackupReport } from "../model/deployment";
import { harmless, type Paint } from "./terminal";

/** What was kept, for a terminal. */
export function backupText(report: BackupReport, paint: Paint): string {
  const { location, manifest, sha256, bytes = 0, encrypted, milliseconds, restore } = report;
  const lines = [
    paint.green(`Backup: ${harmless(location ?? "")}`),
    `  ${sizeText(bytes)}, ${encrypted ? "encrypted" : "not encrypted"}, in ${(milliseconds / 1000).toFixed(1)} s, read back whole`,
    `  sha256    ${sha256}`,
    ...(manifest === undefined ? [] : [`  manifest  ${harmless(manifest)}`]),
    ...(restore === undefined ? [] : [`  restore   ${harmless(restore)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
