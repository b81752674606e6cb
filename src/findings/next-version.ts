import path from "node:path";
import type { Revision } from "../model/revision";
import { shellWord } from "./history-words";

/** The commands that give a revision of SQL files the next version after `last`, its zeros and its way back included. */
export function nextVersionLine({ sql, location, downgrade }: Revision, last: string): string {
  const moves = [
    location.file,
    ...(sql?.down !== undefined && downgrade?.file === sql.down ? [sql.down] : []),
  ];
  const next = (BigInt(last) + 1n).toString();
  return moves
    .map((file) => {
      const folder = path.posix.dirname(file);
      const name = path.posix
        .basename(file)
        .replace(/^\+?\d+/, (digits) => next.padStart(digits.length, "0"));
      return `git mv ${shellWord(file)} ${shellWord(path.posix.join(folder, name))}`;
    })
    .join("; ");
}
