import { BodyReader } from "./frames";

/** Codes of the untyped first packet (manual 55.7). */
const cancelRequest = 80877102;
const tlsRequestCode = 80877103;
const gssRequest = 80877104;

/** libpq's limit is 10 000 as well (MAX_STARTUP_PACKET_LENGTH). */
const longest = 10_000;

/** What a client may begin with. `direct tls` is a TLS record without a request before it (libpq 17, sslnegotiation). */
export type Opening =
  | { readonly kind: "tls request" | "gss request" | "direct tls" }
  | { readonly kind: "cancel"; readonly packet: Buffer; readonly processId: number }
  | { readonly kind: "startup"; readonly packet: Buffer; readonly database: string | undefined }
  | { readonly kind: "unknown"; readonly reason: string };

/** Reads the first packet and tells its length; undefined until it is whole. */
export function readOpening(bytes: Buffer): { opening: Opening; length: number } | undefined {
  if (bytes[0] === 0x16) return { opening: { kind: "direct tls" }, length: 0 };
  if (bytes.length < 4) return undefined;
  const length = bytes.readInt32BE(0);
  const unknown = (reason: string) => ({
    opening: { kind: "unknown", reason } as const,
    length: bytes.length,
  });
  if (length < 8 || length > longest) return unknown(`it begins with a startup packet of ${length} bytes`);
  if (bytes.length < length) return undefined;
  const packet = bytes.subarray(0, length);
  const code = packet.readInt32BE(4);
  if (code === tlsRequestCode) return { opening: { kind: "tls request" }, length };
  if (code === gssRequest) return { opening: { kind: "gss request" }, length };
  if (code === cancelRequest && length >= 16) {
    return { opening: { kind: "cancel", packet, processId: packet.readInt32BE(8) }, length };
  }
  const major = code >>> 16;
  if (major !== 3) return unknown(`it speaks protocol ${major}.${code & 0xffff}`);
  try {
    return { opening: { kind: "startup", packet, database: databaseOf(packet) }, length };
  } catch {
    return unknown("its startup packet has no end");
  }
}

/** SSLRequest, as a client sends it. */
export const tlsRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

function databaseOf(packet: Buffer): string | undefined {
  const reader = new BodyReader(packet, 8);
  const parameters = new Map<string, string>();
  for (let name = reader.text(); name !== ""; name = reader.text()) parameters.set(name, reader.text());
  return parameters.get("database") ?? parameters.get("user");
}
