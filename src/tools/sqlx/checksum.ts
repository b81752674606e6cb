import { createHash } from "node:crypto";

/** SHA-384 of the bytes, hexadecimal: what SQLx writes for the file of a migration (of a reversible one for its way up). */
export function checksumOf(bytes: Uint8Array): string {
  return createHash("sha384").update(bytes).digest("hex");
}

/** Git on Windows, or an editor, may have changed the line ends since it was applied, or between two checkouts. */
export function compareChecksum(bytes: Uint8Array, checksum: string): "same" | "line ends" | "different" {
  if (checksumOf(bytes) === checksum) return "same";
  const text = Buffer.from(bytes).toString("latin1");
  const unix = text.replaceAll("\r\n", "\n");
  const others = [unix, unix.replaceAll("\n", "\r\n")].map((other) =>
    checksumOf(Buffer.from(other, "latin1")),
  );
  return others.includes(checksum) ? "line ends" : "different";
}
