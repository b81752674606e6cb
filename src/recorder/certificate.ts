import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import tls from "node:tls";

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

let context: tls.SecureContext | undefined;

/** The context of this process's own certificate, made when a client first asks for TLS; its key is in memory only. */
export function ownSecureContext(): tls.SecureContext {
  context ??= tls.createSecureContext(selfSignedCertificate());
  return context;
}

const hour = 3_600_000;
const lifetime = 30 * 24 * hour;

/** A certificate for localhost, 127.0.0.1 and ::1 with a fresh P-256 key, signed by itself (RFC 5280, section 4.1). */
export function selfSignedCertificate(now = Date.now()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(der(0x31, sequence(oid(2, 5, 4, 3), der(0x0c, Buffer.from("migration-gate")))));
  const algorithm = sequence(oid(1, 2, 840, 10045, 4, 3, 2));
  const serial = randomBytes(16);
  // Positive and without a leading zero.
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const toBeSigned = sequence(
    der(0xa0, integer(2)),
    der(0x02, serial),
    algorithm,
    name,
    sequence(time(now - hour), time(now + lifetime)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", toBeSigned, privateKey);
  const whole = sequence(toBeSigned, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const size = body.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, ...items);
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]));
}

/** Each number in base 128, the first two as one (X.690, section 8.19). */
function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = [first * 40 + second, ...rest].flatMap((value) => {
    const digits = [value & 0x7f];
    for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return der(0x06, Buffer.from(bytes));
}

/** UTCTime, which is right until 2049. */
function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().slice(2, 19).replace(/\D/g, "");
  return der(0x17, Buffer.from(`${digits}Z`));
}

function extension(id: Buffer, value: Buffer): Buffer {
  return sequence(id, der(0x04, value));
}

const critical = der(0x01, Buffer.from([0xff]));

const extensions = [
  sequence(oid(2, 5, 29, 19), critical, der(0x04, sequence())),
  extension(
    oid(2, 5, 29, 17),
    sequence(
      der(0x82, Buffer.from("localhost")),
      der(0x87, Buffer.from([127, 0, 0, 1])),
      der(0x87, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
    ),
  ),
  extension(oid(2, 5, 29, 37), sequence(oid(1, 3, 6, 1, 5, 5, 7, 3, 1))),
];
