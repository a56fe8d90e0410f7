/** Versions of change tracking: one counter per database, which every commit of tracked changes moves on (spec/sql-server.md §2). */
import type { Position, SqlText } from '../../../src/connector/dialect.ts';

/** A version as the position that a feed is resumed from: everything up to and including it was delivered. */
export function positionOf(version: bigint): Position {
  return version.toString() as Position;
}

/** Throws `SyntaxError` for text that is no position of this feed. */
export function versionOf(position: Position): bigint {
  return BigInt(position);
}

export function comparePositions(a: Position, b: Position): number {
  const difference = versionOf(a) - versionOf(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** A version as the database shows it, which has none where tracking is off. */
export function versionFrom(text: SqlText | undefined): bigint | undefined {
  return text === null || text === undefined ? undefined : BigInt(text);
}
