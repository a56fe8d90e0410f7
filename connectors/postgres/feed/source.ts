/**
 * Which database a feed comes from: the cluster, the line of its history, the database in it. LSNs mean something
 * only along one such line. A database that was restored, copied or failed over may offer a slot of the right name at a
 * position that looks right, and yet lack, or repeat under the same numbers, what the replicas know.
 */
import { z } from 'zod';
import type { FeedKnown, Position } from '../../../src/connector/dialect.ts';
import { PostgresFeedLostError } from '../errors.ts';
import { compareLsn } from '../lsn.ts';
import type { Session } from '../session.ts';
import { LOAD_REMEDY } from './slot-errors.ts';

const sourceSchema = z.object({
  /** Set once by initdb, and new after `pg_upgrade`. */
  system: z.string(),
  /** Grows by promotions and by recoveries to a point in time. */
  timeline: z.number(),
  /** Object id: another one after DROP and CREATE, whatever the name. */
  database: z.string(),
});
type Source = z.infer<typeof sourceSchema>;

export type ResumePoint = {
  /** To be remembered with the positions that follow. */
  readonly source: string;
  readonly after: Position | undefined;
};

/**
 * Compares the database behind a replication connection with the one that `known` comes from, and says where to go on.
 * Throws `PostgresFeedLostError` when changes may be missing between the two.
 */
export async function resumePoint(session: Session, known: FeedKnown): Promise<ResumePoint> {
  const [system, timeline, written] = (await session.simple('IDENTIFY_SYSTEM'))[0] ?? [];
  const [oid] =
    (await session.simple('SELECT oid FROM pg_database WHERE datname = current_database()'))[0] ?? [];
  const found: Source = { system: system ?? '', timeline: Number(timeline), database: oid ?? '' };
  const source = JSON.stringify(found);
  const before = known.source === undefined ? undefined : sourceSchema.parse(JSON.parse(known.source));
  if (before === undefined) return { source, after: known.position };
  if (before.system !== found.system) {
    throw moved(
      `it is on another server, with system identifier ${found.system} instead of ${before.system} (a copy, a restored dump, or a server after pg_upgrade)`,
    );
  }
  if (before.database !== found.database) {
    throw moved(
      `it was made anew under its name (object id ${found.database} instead of ${before.database})`,
    );
  }
  if (before.timeline !== found.timeline) {
    const end = await endOfTimeline(session, before.timeline, found.timeline);
    if (end === undefined) {
      throw moved(
        `timeline ${before.timeline}, which was followed, is no part of its timeline ${found.timeline}`,
      );
    }
    return { source, after: carriedOver(known, before.timeline, found.timeline, end) };
  }
  if (known.position !== undefined && written != null && compareLsn(known.position, written) > 0) {
    throw moved(`its log ends at ${written}, but changes up to ${known.position} were read: it was set back`);
  }
  return { source, after: known.position };
}

/**
 * After a failover (or recovery) the new line begins at `end`. What was merely read past without a change, as an idle
 * server's log, does not count: those numbers belong to other changes now, and must be read again.
 */
function carriedOver(known: FeedKnown, before: number, found: number, end: Position): Position | undefined {
  const { committed, position } = known;
  if (committed !== undefined && compareLsn(committed, end) > 0) {
    throw moved(
      `timeline ${found} branched off timeline ${before} at ${end}, but changes up to ${committed} were read: the last of them are not in it`,
      'for the next time, name the standby in synchronized_standby_slots (version 17)',
    );
  }
  return position !== undefined && compareLsn(position, end) > 0 ? end : position;
}

/** Where `timeline` was left on the way to `current`; undefined when the way does not lead through it. */
async function endOfTimeline(
  session: Session,
  timeline: number,
  current: number,
): Promise<Position | undefined> {
  if (timeline > current) return undefined;
  const [, history] = (await session.simple(`TIMELINE_HISTORY ${current}`))[0] ?? [];
  for (const line of (history ?? '').split('\n')) {
    const [left, end] = line.trim().split(/\s+/);
    if (Number(left) === timeline && end !== undefined) return end as Position;
  }
  return undefined;
}

function moved(how: string, prevention?: string): PostgresFeedLostError {
  return new PostgresFeedLostError(`the database is not the one that was followed: ${how}`, {
    remedy: `when what its tables hold is right, ${LOAD_REMEDY}; when what the realms hold is right, run isthmus verify --repair sql before that${
      prevention === undefined ? '' : `; ${prevention}`
    }`,
  });
}
