import { visible } from "./visible";

/**
 * A sentence for Markdown that GitHub renders: one line, nothing in it is markup, HTML, a mention, a reference to an
 * issue or a link. GitHub looks for the last three in the rendered text, so that no Markdown escape stops them: a
 * zero-width space does (tools that quote foreign change logs in pull requests do the same).
 */
export function prose(text: string): string {
  return entities(oneLine(text))
    .replace(/&#64;(?=[\p{L}\p{N}_])/gu, "&#64;&#8203;")
    .replace(/&#35;(?=\d)/g, "&#35;&#8203;")
    .replace(/\b(GH)&#45;(?=\d)/gi, "$1&#45;&#8203;")
    .replace(/&#58;(?=\/\/)/g, "&#58;&#8203;")
    .replace(/\b(www)\./gi, "$1.&#8203;")
    .replace(/^(\d+)\./, "$1&#46;");
}

/** An identifier or a path for Markdown, in `<code>`: one line, literal. GitHub links and mentions nothing in it. */
export function code(text: string): string {
  return `<code>${entities(oneLine(text))}</code>`;
}

/** Lines that can be copied as they are, as one HTML block of Markdown. */
export function block(text: string): string {
  return `<pre>${html(visible(text).trimEnd())}</pre>`;
}

/** Text between the tags of HTML. Fences too: not every reader of Markdown knows where a `<pre>` ends. */
function html(text: string): string {
  return text.replace(/[&<>"`~]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The text of a quoted Mermaid label, where `#` begins an entity and no character but these needs none. */
export function mermaidLabel(text: string): string {
  return oneLine(text).replace(/[^\p{L}\p{N} _.,-]/gu, (character) => `#${character.codePointAt(0)};`);
}

/** At most so many characters, and how many were left out. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const rest = ` … (${text.length - most} more characters)`;
  const whole = (part: string) => part.replace(/[\ud800-\udbff]$/, "");
  if (rest.length > most / 2) return `${whole(text.slice(0, Math.max(0, most - 1)))}…`.slice(0, most);
  return `${whole(text.slice(0, most - rest.length))}${rest}`;
}

function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, " ").trim();
}

/** Every ASCII character that Markdown or HTML may obey, as a number: an entity is always text (CommonMark 6.2). */
function entities(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, (character) =>
    ".,/".includes(character) ? character : `&#${character.charCodeAt(0)};`,
  );
}
