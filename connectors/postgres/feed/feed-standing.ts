/** How far the slot of a connector was confirmed, against what the server has written. */
import type { FeedStanding } from '../../../src/connector/dialect.ts';
import { positionOf } from '../lsn.ts';
import type { Session } from '../session.ts';

const STANDING = `SELECT pg_current_wal_lsn()::text, s.confirmed_flush_lsn::text, s.active
  FROM (VALUES ($1::name)) wanted (name) LEFT JOIN pg_replication_slots s ON s.slot_name = wanted.name`;

export async function feedStanding(session: Session, slot: string): Promise<FeedStanding> {
  const [row] = await session.query(STANDING, [slot]);
  const confirmed = row?.[1] ?? undefined;
  return {
    held: row?.[2] === 't',
    confirmed: confirmed === undefined ? undefined : positionOf(confirmed),
    newest: positionOf(row?.[0] ?? ''),
  };
}
