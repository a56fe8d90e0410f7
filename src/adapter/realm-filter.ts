/** Which realms an adapter watches. */

/** A regular expression that has to match the whole path, as text or `RegExp`; or a function that decides. */
export type RealmFilter = string | RegExp | ((path: string) => boolean);

/** Text between slashes, as `/^\/[0-9a-f]+\/private$/i`: a path never ends with one. */
const DELIMITED = /^\/(.+)\/([dimsuv]*)$/s;

/** Throws `SyntaxError` on text that is no regular expression. */
export function realmFilter(filter: RealmFilter): (path: string) => boolean {
  if (typeof filter === 'function') return filter;
  const [, source, flags] =
    filter instanceof RegExp
      ? ['', filter.source, filter.flags.replace(/[gy]/g, '')] // these would make it remember its last match
      : (DELIMITED.exec(filter) ?? ['', filter, '']);
  const expression = new RegExp(`^(?:${source})$`, flags);
  return (path) => expression.test(path);
}
