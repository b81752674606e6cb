/** What a column's name promises; the first that matches. A text column alone is asked, and in the plain tier. */
const promises: readonly (readonly [RegExp, (index: number) => string])[] = [
  [/(?:^|_)e?_?mail(?:_|$)|email/, (index) => `alpha${index}@example.org`],
  [
    /(?:^|_)(?:ur[il]|link|href|website|homepage|webhook)(?:_|$)|_url$/,
    (index) => `https://example.org/a${index}`,
  ],
  [/(?:^|_)(?:slug|handle|permalink)(?:_|$)/, (index) => `alpha-${index}`],
  [/(?:^|_)(?:user_?name|login|nick|nickname)(?:_|$)/, (index) => `alpha${index}`],
  [/(?:^|_)(?:phone|mobile|tel|fax)(?:_|$)/, (index) => `+1555${String(1_000_000 + index)}`],
  [/(?:^|_)(?:sha256|digest|checksum|hash)(?:_|$)/, (index) => index.toString(16).padStart(64, "a")],
  [/(?:^|_)ip(?:_|$)|ip_?addr/, (index) => `10.1.${(index >> 8) & 255}.${index & 255}`],
  [/(?:^|_)(?:host|hostname|domain|fqdn)(?:_|$)/, (index) => `a${index}.example.org`],
  [/(?:^|_)colou?r(?:_|$)/, (index) => `#${(0xa1b200 + index).toString(16)}`],
  [/(?:^|_)(?:path|folder|directory)(?:_|$)/, (index) => `/alpha/${index}`],
  [/(?:^|_)(?:file_?name|file)(?:_|$)/, (index) => `alpha-${index}.txt`],
  [/(?:^|_)(?:mime|mime_type|media_type|content_type)(?:_|$)/, (index) => `text/x-a${index}`],
  [/(?:^|_)version(?:_|$)/, (index) => `1.${index}.0`],
];

/** A text that looks like what its column is called, distinct by index; undefined where the name says nothing. */
export function namedText(column: string, index: number): string | undefined {
  const name = column.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
  return promises.find(([pattern]) => pattern.test(name))?.[1](index);
}
