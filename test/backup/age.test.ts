import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import { ageDecrypted, ageEncryption, checkRecipients, identitiesOf } from "../../src/backup/age";
import { messageOf } from "../support/messages";

const chunk = 64 * 1024;
const sizes = [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17];

/** Bytes that repeat nowhere near. */
function bytes(size: number): Buffer {
  const all = Buffer.alloc(size);
  for (let index = 0; index < size; index++) all[index] = (index * 31 + (index >> 8) * 7) & 255;
  return all;
}

async function* pieces(all: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

async function encrypted(plain: Buffer, recipients: readonly string[], piece: number): Promise<Buffer> {
  const { header, update, final } = await ageEncryption(recipients);
  const parts = [header];
  for await (const part of pieces(plain, piece)) parts.push(...update(part));
  return Buffer.concat([...parts, final()]);
}

async function decrypted(file: Buffer, identity: string, piece = 1000): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of ageDecrypted(pieces(file, piece), [identity], "x.age")) parts.push(part);
  return Buffer.concat(parts);
}

describe("age's own implementation and ours read each other", () => {
  test.each(sizes)("%i bytes", async (size) => {
    const [identity, other] = [await generateX25519Identity(), await generateX25519Identity()];
    const recipients = [await identityToRecipient(other), await identityToRecipient(identity)];
    const plain = bytes(size);
    for (const piece of [7919, chunk, 5 * chunk]) {
      const file = await encrypted(plain, recipients, piece);
      for (const key of [identity, other]) {
        const decrypter = new Decrypter();
        decrypter.addIdentity(key);
        expect(Buffer.from(await decrypter.decrypt(file)).equals(plain)).toBe(true);
        expect((await decrypted(file, key, piece)).equals(plain)).toBe(true);
      }
    }
    const encrypter = new Encrypter();
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    const foreign = Buffer.from(await encrypter.encrypt(plain));
    for (const piece of [13, 100_000])
      expect((await decrypted(foreign, identity, piece)).equals(plain)).toBe(true);
  });
});

test("no two files have the same bytes", async () => {
  const recipients = [await identityToRecipient(await generateX25519Identity())];
  const [one, other] = [
    await encrypted(bytes(100), recipients, 10),
    await encrypted(bytes(100), recipients, 10),
  ];
  expect(one.equals(other)).toBe(false);
});

test("whatever is cut off or changed is found", async () => {
  const identity = await generateX25519Identity();
  const file = await encrypted(bytes(2 * chunk + 5), [await identityToRecipient(identity)], chunk);
  const payload = file.length - (2 * chunk + 5) - 3 * 16;
  const cuts = [
    10,
    payload - 20,
    payload,
    payload + 15,
    payload + chunk + 16,
    payload + 2 * (chunk + 16),
    file.length - 1,
  ];
  for (const cut of cuts)
    await expect(decrypted(file.subarray(0, cut), identity), `cut at ${cut}`).rejects.toThrow(/is damaged/);
  for (const at of [payload - 1, payload, payload + 70_000, file.length - 1]) {
    const changed = Buffer.from(file);
    changed[at]! ^= 1;
    await expect(decrypted(changed, identity), `changed at ${at}`).rejects.toThrow(/is damaged/);
  }
  await expect(decrypted(Buffer.concat([file, Buffer.from("x")]), identity)).rejects.toThrow(/is damaged/);
});

test("a key that does not fit says so, and a wrong setting shows no key", async () => {
  const [identity, other] = [await generateX25519Identity(), await generateX25519Identity()];
  const recipient = await identityToRecipient(identity);
  const file = await encrypted(bytes(10), [recipient], 10);
  expect(await messageOf(() => decrypted(file, other))).toContain("it was encrypted to another one");
  const wrong = await messageOf(() => checkRecipients([recipient, identity]));
  expect(wrong).toContain("holds a private key");
  expect(wrong).not.toContain(identity.slice(20));
  expect(await messageOf(() => checkRecipients(["age1nonsense"]))).toContain("holds no age public key");
  expect(await identitiesOf(`# made today\r\n\r\n${identity}\r\n`, "key.txt")).toEqual([identity]);
  for (const text of ["", recipient, "AGE-SECRET-KEY-1XYZ", "nonsense"])
    expect(await messageOf(() => identitiesOf(text, "key.txt"))).toContain("identity-file");
});
