/** Whether rows may have changed without a word in the feed since a class was remembered: pure. */
import type { TableVersion } from '../dialect.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import { columnsOf, type RememberedClass } from './remembered-classes.ts';

export type Versions = {
  /** As found, and after the feed was told to follow all tables. */
  readonly found: TableVersion | undefined;
  readonly now: TableVersion | undefined;
};

/**
 * The reason in words; `undefined` when the feed has told everything. `allColumns` says that columns without a property
 * count too, because they may decide about the realm of a row.
 */
export function reasonToCompare(
  before: RememberedClass,
  mapped: ClassMapping,
  { found, now }: Versions,
  allColumns: boolean,
): string | undefined {
  const { version } = before;
  if (version === undefined || found === undefined || now === undefined) return undefined;
  if (version.identity !== now.identity) return 'the table was made anew';
  if (version.followed !== found.followed || version.followed !== now.followed)
    return 'the change feed had left the table out';
  return (
    changedParts(version, now) ??
    changedProperty(before, version, mapped, now) ??
    (allColumns ? changedColumn(version, now) : undefined)
  );
}

function changedParts(before: TableVersion, now: TableVersion): string | undefined {
  for (const part of Object.keys(before.parts))
    if (now.parts[part] === undefined) return 'a partition was detached or dropped';
  for (const [part, state] of Object.entries(now.parts))
    if (before.parts[part] === undefined && state === 'filled') return 'a partition was attached';
  return undefined;
}

function changedProperty(
  before: RememberedClass,
  version: TableVersion,
  mapped: ClassMapping,
  now: TableVersion,
): string | undefined {
  for (const [property, columns] of columnsOf(mapped)) {
    const known = before.columns[property];
    const what = property === '' ? 'the key' : `property ${property}`;
    if (known === undefined) return `${what} got a column`;
    if (known.join('\0') !== columns.join('\0')) return `${what} stands in another column`;
    const changed = columns.find((column) => version.columns[column] !== now.columns[column]);
    if (changed !== undefined) return `column ${changed} was made anew or is of another type`;
  }
  return undefined;
}

function changedColumn(before: TableVersion, now: TableVersion): string | undefined {
  const names = new Set([...Object.keys(before.columns), ...Object.keys(now.columns)]);
  for (const name of names)
    if (before.columns[name] !== now.columns[name]) return `column ${name} was added, dropped or changed`;
  return undefined;
}
