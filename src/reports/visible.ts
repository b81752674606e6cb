/**
 * Control characters, direction marks, and what has no width or no meaning: everything by which text can look other
 * than it is. Tab and line feed stay; a lone half of a surrogate pair cannot be written as UTF-8.
 */
const deceiving =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each is matched by itself
  /[^\P{Cc}\t\n]|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** Text from revisions, tools and servers, with what deceives shown as `\u202e` and not obeyed. */
export function visible(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(deceiving, (character) => {
    const number = character.codePointAt(0) ?? 0;
    return number > 0xffff ? `\\u{${number.toString(16)}}` : `\\u${number.toString(16).padStart(4, "0")}`;
  });
}
