/** Words of a column's name, in snake case, in the singular. */
const secretWords = new Set(
  "password passwd passphrase passcode pwd secret token jwt key apikey hash digest salt nonce signature credential cookie auth otp totp mfa pin cvv cvc card pan iban bic ssn sin passport license dob birthdate".split(
    " ",
  ),
);

/** Words that name a secret wherever they stand, also in `userpassword`. */
const secretParts = /passw(?:or)?d|secret|token|apikey|iban|creditcard|cardn(?:o|um)|socialsecurity|taxid/;

/** True where a column's name says that its values are nobody's business: they are never shown. */
export function isSecretColumn(name: string): boolean {
  const snake = name.replace(/(\p{Ll})(\p{Lu})/gu, "$1_$2").toLowerCase();
  const words = snake.split(/[^\p{L}]+/u).map((word) => word.replace(/(?<=..)(?<!s)s$/, ""));
  return words.some((word) => secretWords.has(word)) || secretParts.test(words.join(""));
}
