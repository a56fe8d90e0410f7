/**
 * What change tracking says of the database and of each table, and what that means to somebody who has read everything
 * up to a version: pure. The statement reads it in one go.
 */
import type { SqlText } from '../../../src/connector/dialect.ts';
import { versionFrom } from './version.ts';

/**
 * `@tables` is a JSON array of places and quoted names. A table that is not there, not tracked, or not to be seen has
 * NULL where it shows. MIN_VALID_VERSION is NULL without VIEW CHANGE TRACKING, too.
 *
 * Metadata have no versions: a statement that reads them as SNAPSHOT may be refused (3961) once anybody has defined anything.
 * That level is also the one in which a session stays after such a transaction; the statement's own ends with it.
 */
export const TRACKING_STATE =
  'SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT CONVERT(varchar(20), w.[place]), CONVERT(varchar(20), CHANGE_TRACKING_CURRENT_VERSION()), ' +
  "CONVERT(varchar(20), OBJECT_ID(w.[name], N'U')), CONVERT(varchar(20), s.[begin_version]), " +
  "CONVERT(varchar(20), CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(w.[name], N'U'))) " +
  "FROM OPENJSON(@tables) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]') AS w " +
  "LEFT JOIN sys.change_tracking_tables AS s ON s.[object_id] = OBJECT_ID(w.[name], N'U');";

export type TableTracking = {
  readonly objectId: string | undefined;
  /** The version at which its tracking began, anew after each TRUNCATE. */
  readonly begin: bigint | undefined;
  /** The oldest version that changes can be asked for from. */
  readonly minValid: bigint | undefined;
};

export type TrackingState = {
  /** Undefined where the database tracks nothing. */
  readonly current: bigint | undefined;
  /** In the order of the names that were asked for. */
  readonly tables: readonly TableTracking[];
};

export function trackingParameter(quotedNames: readonly string[]): string {
  return JSON.stringify(quotedNames.map((name, place) => [place, name]));
}

/** From the rows of {@link TRACKING_STATE} for `count` tables. */
export function trackingFrom(rows: readonly (readonly SqlText[])[], count: number): TrackingState {
  const tables = Array<TableTracking>(count).fill({
    objectId: undefined,
    begin: undefined,
    minValid: undefined,
  });
  let current: bigint | undefined;
  for (const [place, version, objectId, begin, minValid] of rows) {
    const shown = versionFrom(version);
    // Each row may have asked anew; what all of them have seen is what counts.
    if (shown !== undefined && (current === undefined || shown < current)) current = shown;
    tables[Number(place)] = {
      objectId: objectId ?? undefined,
      begin: versionFrom(begin),
      minValid: versionFrom(minValid),
    };
  }
  return { current, tables };
}

export type TableVerdict =
  /** Changes after `since` are complete, which is later than what was asked for when `isNew`. */
  | { readonly kind: 'ready'; readonly since: bigint; readonly isNew: boolean; readonly begin: bigint }
  /** Nothing can be read now; what is to be done about it is for those who look at the tables. */
  | { readonly kind: 'away'; readonly why: 'missing' | 'untracked' | 'forbidden' }
  /** What was changed after the cursor has been cleaned up. */
  | { readonly kind: 'outdated'; readonly minValid: bigint };

/** What can be read of a table by somebody who has read everything up to `cursor` (spec/sql-server.md §2, facts 19–25). */
export function judge({ objectId, begin, minValid }: TableTracking, cursor: bigint): TableVerdict {
  if (objectId === undefined) return { kind: 'away', why: 'missing' };
  if (begin === undefined) return { kind: 'away', why: 'untracked' };
  if (minValid === undefined) return { kind: 'away', why: 'forbidden' };
  if (begin > cursor)
    return { kind: 'ready', since: minValid > begin ? minValid : begin, isNew: true, begin };
  if (minValid > cursor) return { kind: 'outdated', minValid };
  return { kind: 'ready', since: cursor, isNew: false, begin };
}
