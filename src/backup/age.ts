import { type CipherGCM, createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { UserError } from "../errors";

/*
 * age's format (age-encryption.org/v1, C2SP): a header that holds the file key once for each recipient, a nonce, and
 * chunks of 64 KB, each with ChaCha20-Poly1305. Keys and header are the package's work; the chunks are OpenSSL's, which
 * is many times faster than the package's JavaScript.
 */
const chunkSize = 64 * 1024;
const tagSize = 16;
const nonceSize = 16;

/** Loaded where a key is at hand only: it would cost every start of the gate a tenth. */
const ageEncryptionPackage = () => import(/* webpackMode: "eager" */ "age-encryption");

export const ageIntro = "age-encryption.org/v1\n";

/** A UserError for what is no public key; a private key that was given by mistake is not repeated. */
export async function checkRecipients(recipients: readonly string[]): Promise<void> {
  if (recipients.length === 0) return;
  const { Encrypter } = await ageEncryptionPackage();
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient);
    } catch (error) {
      const secret = /^AGE-SECRET-KEY-/i.test(recipient);
      throw new UserError(
        {
          what: secret
            ? "The setting backup-recipient holds a private key."
            : `The setting backup-recipient holds no age public key: "${recipient.slice(0, 12)}…".`,
          why: secret ? "Whoever can read the settings could open the backups." : "",
          do: "Set it to the public key, which begins with age1; age-keygen prints it, and age-keygen -y key.txt prints it again.",
        },
        { cause: error },
      );
    }
  }
}

/** The chunks of an age file as its plaintext comes. */
export interface Encryption {
  /** What comes first. */
  readonly header: Buffer;
  update(plain: Buffer): Buffer[];
  /** The last chunk: without it, a reader knows that the file was cut. */
  final(): Buffer;
}

export async function ageEncryption(recipients: readonly string[]): Promise<Encryption> {
  const { Encrypter } = await ageEncryptionPackage();
  let fileKey: Uint8Array | undefined;
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  // A recipient without a stanza of its own: it only sees the key.
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = Buffer.from(await encrypter.encrypt(new Uint8Array(0)));
  if (fileKey === undefined) throw new Error("age-encryption did not ask the recipient");
  const nonce = randomBytes(nonceSize);
  const key = payloadKey(fileKey, nonce);
  const nonces = chunkNonces();
  // Not copied together: a dump may be large, and the cipher takes a chunk in parts.
  let held: Buffer[] = [];
  let used = 0;
  const seal = (isLast: boolean): Buffer[] => {
    const cipher = createCipheriv("chacha20-poly1305", key, nonces(isLast), {
      authTagLength: tagSize,
    }) as CipherGCM;
    const sealed = held.map((part) => cipher.update(part));
    cipher.final();
    held = [];
    used = 0;
    return [...sealed, cipher.getAuthTag()];
  };
  return {
    header: Buffer.concat([empty.subarray(0, -(nonceSize + tagSize)), nonce]),
    update(plain) {
      const sealed: Buffer[] = [];
      for (let rest = plain; rest.length > 0; ) {
        // A full chunk is sealed only when more comes: the last one has a mark of its own.
        if (used === chunkSize) sealed.push(...seal(false));
        const part = rest.subarray(0, chunkSize - used);
        held.push(part);
        used += part.length;
        rest = rest.subarray(part.length);
      }
      return sealed;
    },
    final: () => Buffer.concat(seal(true)),
  };
}

/** Identities of a key file: one a line, comments and empty lines between them. */
export async function identitiesOf(text: string, file: string): Promise<string[]> {
  const { Decrypter } = await ageEncryptionPackage();
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const wrong = (what: string) =>
    new UserError({
      what: `${file} ${what}.`,
      where: "identity-file",
      do: "Give the file that age-keygen wrote: a line of it begins with AGE-SECRET-KEY-1.",
    });
  if (lines.length === 0) throw wrong("holds no key");
  for (const line of lines) {
    if (line.startsWith("age1")) throw wrong("holds a public key, which cannot open a backup");
    try {
      new Decrypter().addIdentity(line);
    } catch {
      throw wrong("holds a line that is no age key");
    }
  }
  return lines;
}

/** The plaintext of an age file. A UserError where no key opens it, or where it was cut or changed. */
export async function* ageDecrypted(
  source: AsyncIterable<Buffer>,
  identities: readonly string[],
  file: string,
): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const next = await iterator.next();
    if (next.done === true) return false;
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    return true;
  };
  while (headerSize(held) === undefined)
    if (held.length > 1024 * 1024 || !(await more())) throw damaged(file, "its header has no end");
  const size = headerSize(held)!;
  const fileKey = await fileKeyOf(held.subarray(0, size), identities, file);
  while (held.length < size + nonceSize) if (!(await more())) throw damaged(file, "it ends after its header");
  const key = payloadKey(fileKey, held.subarray(size, size + nonceSize));
  held = held.subarray(size + nonceSize);
  const nonces = chunkNonces();
  const open = (sealed: Buffer, isLast: boolean): Buffer => {
    const decipher = createDecipheriv("chacha20-poly1305", key, nonces(isLast), { authTagLength: tagSize });
    decipher.setAuthTag(sealed.subarray(-tagSize));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, -tagSize)), decipher.final()]);
    } catch {
      throw damaged(file, isLast ? "it was cut, or its end was changed" : "some of it was changed");
    }
  };
  for (;;) {
    while (held.length > chunkSize + tagSize) {
      yield open(held.subarray(0, chunkSize + tagSize), false);
      held = held.subarray(chunkSize + tagSize);
    }
    if (!(await more())) break;
  }
  if (held.length < tagSize) throw damaged(file, "it was cut");
  yield open(held, true);
}

async function fileKeyOf(header: Buffer, identities: readonly string[], file: string): Promise<Uint8Array> {
  const { Decrypter } = await ageEncryptionPackage();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!/no identity matched/.test(reason)) throw damaged(file, `its header is not valid (${reason})`);
    throw new UserError({
      what: `The key does not open ${file}: it was encrypted to another one.`,
      where: "identity-file",
      why: "Nothing was written.",
      do: "Give the private key of a recipient that the backup's manifest names.",
    });
  }
}

/** Where the header ends: after the line that begins with `---`. */
function headerSize(bytes: Buffer): number | undefined {
  const mac = bytes.indexOf("\n--- ");
  const end = mac < 0 ? -1 : bytes.indexOf("\n", mac + 1);
  return end < 0 ? undefined : end + 1;
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

/** Eleven bytes that count, and one that marks the last chunk. */
function chunkNonces(): (isLast: boolean) => Buffer {
  let count = 0n;
  return (isLast) => {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64BE(count, 3);
    nonce[11] = isLast ? 1 : 0;
    count += 1n;
    return nonce;
  };
}

function damaged(file: string, seen: string): UserError {
  return new UserError({
    what: `${file} is damaged: ${seen}.`,
    why: "Nothing was written.",
    do: "Fetch the backup again from where it was kept, or take another one.",
  });
}
