/** What the connector itself has made, told apart from what somebody changed. */
import type { Catalog } from '../dialect.ts';
import type { TableVersions } from './taking-over.ts';

/** Tables (by id) and columns (`id.column`) that `now` has and `before` has not. */
export function madeSince(before: Catalog, now: Catalog): Set<string> {
  const made = new Set<string>();
  for (const [id, { columns }] of now) {
    const known = before.get(id);
    if (known === undefined) made.add(id);
    const names = new Set(known?.columns.map(({ name }) => name));
    for (const { name } of columns) if (!names.has(name)) made.add(`${id}.${name}`);
  }
  return made;
}

/** That the feed did not follow a table that we made just now is no gap. */
export function unfollowedAsNow(found: TableVersions, now: TableVersions): TableVersions {
  return new Map(
    [...found].map(([id, version]) => [
      id,
      version.followed === undefined ? (now.get(id) ?? version) : version,
    ]),
  );
}
