/** Reading claims out of tokens by paths such as `address.country`. */

/** Claims are often named by URLs, so that a dot can be escaped: `https://example\.com/roles`. */
function partsOf(path: string): readonly string[] {
  return path.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'));
}

/** The value at a path; undefined where there is none. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = claims;
  for (const part of partsOf(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** A claim as a text, which is all that clients take as data of a user (spec/app-services-http.md §5). */
export function claimText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
