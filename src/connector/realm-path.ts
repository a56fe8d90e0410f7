/** Realm paths and path patterns as configurations write them. */

/** Characters that make a text a pattern. A point alone does not: `/app.v2` is a path. */
const PATTERN_CHARACTERS = /[\\^$*+?()[\]{}|]/;
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * The path that a configured text names. The reference lets users pass the expression they gave as `realmRegex`
 * (`^/myRealm$`) and paths without the slash in front; both are accepted. `undefined` for a true pattern or for what
 * cannot be a path.
 */
export function realmPathFromText(text: string): string | undefined {
  const path = text.replace(/^\^/, '').replace(/\$$/, '');
  const bare = path.replace(/^\/+/, '');
  if (bare === '' || PATTERN_CHARACTERS.test(bare) || CONTROL_CHARACTER.test(bare)) return undefined;
  if (bare.split('/').some((part) => part === '' || part === '.' || part === '..')) return undefined;
  return `/${bare}`;
}

/**
 * The expression for `realmRegex`. A plain path matches exactly itself, so that `/app` does not take `/app2` along;
 * anything else is a regular expression that may match anywhere in the path. One pair of delimiters, as in
 * `'/^\/([0-9a-f]+)\/private$/'`, is taken off. Throws `SyntaxError` on an expression that is none.
 */
export function realmRegexFromText(text: string): RegExp {
  const path = text.startsWith('^') || text.endsWith('$') ? undefined : realmPathFromText(text);
  if (path !== undefined) return new RegExp(`^${path.replaceAll('.', '\\.')}$`);
  const delimited = /^\/(.+)\/([imsu]*)$/.exec(text);
  return delimited === null ? new RegExp(text) : new RegExp(delimited[1] ?? '', delimited[2]);
}
