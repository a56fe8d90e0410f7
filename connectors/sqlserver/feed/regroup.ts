/**
 * Makes transactions out of net changes. Change tracking shows every changed row once, as it is now, with the version of
 * its last change and that of its insertion; who committed what together is told by equal versions only.
 *
 * A row that is new belongs where it was inserted, so that rows that refer to it come no earlier. Being shown as it is
 * now, it may itself refer to rows that were inserted between its insertion and its last change: whatever lies between
 * the two is made one transaction with it. At the end of each transaction nothing refers to what was not delivered.
 */
import {
  type FeedChange,
  type FeedEvent,
  type FeedTable,
  type FeedValue,
  type SqlText,
  UNCHANGED,
} from '../../../src/connector/dialect.ts';
import { positionOf } from './version.ts';

/** A table as its rows are read. */
export type FollowedLayout = {
  /** Rows of it are delivered with this, the same object for as long as the layout stays the same. */
  readonly table: FeedTable;
  /** Where the columns of the primary key stand among the columns. */
  readonly keyPlaces: readonly number[];
};

export type NetChange = {
  readonly layout: FollowedLayout;
  /** `I` inserted, `U` changed, `D` gone since the last poll. */
  readonly operation: string;
  /** Of the last change. */
  readonly version: bigint;
  /** Of the last insertion, where the database says it. */
  readonly creation: bigint | undefined;
  /** The key that the change is of. */
  readonly key: readonly SqlText[];
  /** As it is now; undefined when there is no such row. */
  readonly row: readonly SqlText[] | undefined;
  /** This adapter was the last to write it. */
  readonly isOwn?: boolean;
};

/** What one transaction of the feed consists of; it ends at `version`. */
export type NetTransaction = { readonly version: bigint; readonly changes: readonly NetChange[] };

/** The version at which a change takes its place. The statements that read rows say the same in SQL. */
export function placeOf({ operation, creation, version }: NetChange): bigint {
  return operation === 'I' && creation !== undefined && creation < version ? creation : version;
}

/**
 * The changes up to and including `upTo` as transactions in commit order. Changes of one transaction keep the order in
 * which they were given, what is gone first: it made room for the keys and unique values of what is there.
 */
export function regroup(changes: readonly NetChange[], upTo: bigint): NetTransaction[] {
  const placed = changes
    .map((change) => ({ change, from: placeOf(change), to: least(change.version, upTo) }))
    .filter(({ from }) => from <= upTo)
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const transactions: { version: bigint; changes: NetChange[] }[] = [];
  let open: { version: bigint; changes: NetChange[] } | undefined;
  for (const { change, from, to } of placed) {
    if (open === undefined || from > open.version) {
      open = { version: to, changes: [] };
      transactions.push(open);
    }
    open.changes.push(change);
    if (to > open.version) open.version = to;
  }
  return transactions.map(({ version, changes: all }) => ({ version, changes: inOrder(all, changes) }));
}

function inOrder(changes: NetChange[], given: readonly NetChange[]): readonly NetChange[] {
  if (changes.length < 2) return changes;
  const places = new Map<FollowedLayout, number>();
  for (const { layout } of given) if (!places.has(layout)) places.set(layout, places.size);
  const placeIn = ({ layout }: NetChange): number => places.get(layout) ?? 0;
  const gone = changes.filter(({ row }) => row === undefined).sort((a, b) => placeIn(b) - placeIn(a));
  const there = changes.filter(({ row }) => row !== undefined).sort((a, b) => placeIn(a) - placeIn(b));
  return [...gone, ...there];
}

/** What the engine is told of one net change. */
export function feedChanges({ layout, operation, key, row, isOwn }: NetChange): FeedChange[] {
  const { table, keyPlaces } = layout;
  if (row === undefined) return [{ kind: 'delete', table, old: keyRow(layout, key) }];
  const own = isOwn === true ? { isOwn } : {};
  const told: FeedChange =
    operation === 'I'
      ? { kind: 'insert', table, row, ...own }
      : { kind: 'update', table, row, old: undefined, ...own };
  // A collation for which the two keys are the same joins them; to a realm they are two objects.
  const isSame = keyPlaces.every((place, part) => row[place] === key[part]);
  return operation !== 'D' || isSame ? [told] : [{ kind: 'delete', table, old: keyRow(layout, key) }, told];
}

function keyRow({ table, keyPlaces }: FollowedLayout, key: readonly SqlText[]): FeedValue[] {
  const row = Array<FeedValue>(table.columns.length).fill(UNCHANGED);
  keyPlaces.forEach((place, part) => {
    row[place] = key[part] ?? null;
  });
  return row;
}

/** The events of a transaction, `first` right after its beginning. */
export function* eventsOf(
  { version, changes }: NetTransaction,
  first: readonly FeedEvent[],
  committedAt: Date,
): Generator<FeedEvent> {
  yield beginOf(version);
  yield* first;
  for (const change of changes)
    for (const told of feedChanges(change)) yield { kind: 'change', change: told };
  yield { kind: 'commit', position: positionOf(version), committedAt };
}

/** A transaction that is delivered again may have lost rows to later ones: no position tells how far it was written. */
export function beginOf(version: bigint): FeedEvent {
  return { kind: 'begin', transaction: version.toString(), position: undefined };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
