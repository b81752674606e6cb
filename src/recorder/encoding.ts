import type { TextDecoding } from "./frames";

/** PostgreSQL's names (manual 24.3.1) that are no WHATWG labels themselves. */
const labels: Readonly<Record<string, string>> = {
  LATIN5: "iso-8859-9",
  LATIN6: "iso-8859-10",
  LATIN7: "iso-8859-13",
  LATIN8: "iso-8859-14",
  LATIN9: "iso-8859-15",
  LATIN10: "iso-8859-16",
  WIN866: "ibm866",
  WIN874: "windows-874",
  EUC_JP: "euc-jp",
  EUC_KR: "euc-kr",
  EUC_CN: "gb2312",
  UHC: "euc-kr",
  KOI8R: "koi8-r",
  KOI8U: "koi8-u",
  SJIS: "shift_jis",
};

/** How a client with this client_encoding writes text; undefined for UTF-8 and for what Node.js cannot read. */
export function decodingOf(clientEncoding: string): TextDecoding | undefined {
  const name = clientEncoding.toUpperCase();
  if (name === "UTF8" || name === "SQL_ASCII") return undefined;
  // WHATWG's iso-8859-1 is windows-1252.
  if (name === "LATIN1") return { decode: (bytes) => bytes.toString("latin1") };
  const label =
    labels[name] ??
    name
      .toLowerCase()
      .replace(/^latin(\d)$/, "iso-8859-$1")
      .replace(/^win(\d)/, "windows-$1")
      .replaceAll("_", "-");
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}
