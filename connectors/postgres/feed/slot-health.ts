/**
 * Judges a slot that is usable: how much log the server keeps for it, how near that is to the limit at which the server
 * gives the slot up, and whether the publication is still what it should be. Free space on the server's disk is not to
 * be learnt over SQL, so that without a limit the amount itself has to be warned of.
 */
import type { FeedHealth } from '../../../src/connector/dialect.ts';
import { type Finding, failed, fine, problem, warning } from '../../../src/connector/finding.ts';
import { PostgresFeedError } from '../errors.ts';
import type { Session } from '../session.ts';
import { alterations, readPublication } from './publication.ts';
import { publicationMissing, slotLost, slotMissing } from './slot-errors.ts';
import { holderText, slotHolder } from './slot-holder.ts';
import { type SlotStatus, slotStatus } from './slot-status.ts';

export const SLOT_STATE = 'postgres/slot';
export const SLOT_LAG = 'postgres/slot-lag';
export const SLOT_TIMEOUT = 'postgres/slot-idle-timeout';
export const PUBLICATION = 'postgres/publication';

const MEGABYTE = 1024n * 1024n;
/** Kept log above which a slot without a limit is warned of; a server in good order stays far below. */
export const DEFAULT_WARN_BYTES = 1024n * MEGABYTE;
/** An adapter that is away for less than this must not lose its slot: a weekend's outage, a day's maintenance. */
const SHORTEST_IDLE_SECONDS = 3 * 86_400;

/** Reads and judges. `followed` are the ids of the tables that must be published. */
export async function slotHealth(
  session: Session,
  name: string,
  followed: readonly string[],
  warnBytes: bigint,
): Promise<FeedHealth> {
  let status: SlotStatus;
  try {
    status = await slotStatus(session, name);
  } catch (error) {
    if (!(error instanceof PostgresFeedError)) throw error;
    return { findings: [failed(SLOT_STATE, error)], retainedBytes: undefined, facts: {} };
  }
  const publication = await publicationFinding(session, name, followed);
  if (status.state === 'missing')
    return {
      findings: [failed(SLOT_STATE, slotMissing(name)), publication],
      retainedBytes: undefined,
      facts: {},
    };
  if (status.state === 'lost') {
    const findings = [failed(SLOT_STATE, slotLost(name, status.reason)), publication];
    return { findings, retainedBytes: undefined, facts: {} };
  }
  const holder = status.activePid === undefined ? undefined : await slotHolder(session, name);
  const held = holder === undefined ? 'nobody reads it now' : `read by ${holderText(holder)}`;
  const lag = lagFinding(name, status, warnBytes);
  return {
    findings: [
      fine(SLOT_STATE, `the replication slot ${name} is usable and stands at ${status.confirmed}; ${held}`),
      lag.level === 'ok' ? lag : await withOldestTransaction(session, status, lag),
      ...idleTimeoutFinding(status),
      publication,
    ],
    retainedBytes: Number(status.retainedBytes),
    facts: {
      slot: name,
      confirmed: status.confirmed,
      unconfirmedBytes: Number(status.unconfirmedBytes),
      ...(status.walStatus === undefined ? {} : { walStatus: status.walStatus }),
      ...(status.safeBytes === undefined ? {} : { safeBytes: Number(status.safeBytes) }),
      ...(status.limitBytes === undefined ? {} : { limitBytes: Number(status.limitBytes) }),
      ...(holder === undefined ? {} : { holder: holderText(holder) }),
      failover: String(status.failover),
    },
  };
}

type UsableSlot = Extract<SlotStatus, { state: 'ok' }>;

const CATCH_UP =
  'let the adapter run and see in its log why it does not keep up; a slot that nobody needs any more has to be dropped';

/** Pure, so that every threshold can be told apart without filling a disk. */
export function lagFinding(name: string, slot: UsableSlot, warnBytes: bigint): Finding {
  const { retainedBytes: kept, limitBytes: limit, safeBytes: safe } = slot;
  const amount = `the server keeps ${megabytes(kept)} of log for the replication slot ${name}`;
  const left = safe === undefined || safe < 0n ? 0n : safe;
  if (slot.walStatus === 'unreserved') {
    return problem(
      SLOT_LAG,
      `${amount}, more than max_slot_wal_keep_size (${megabytes(limit ?? 0n)}) allows: the next checkpoint removes it and the slot is lost`,
      `raise max_slot_wal_keep_size now (ALTER SYSTEM SET max_slot_wal_keep_size = … ; SELECT pg_reload_conf()); ${CATCH_UP}`,
    );
  }
  if (limit !== undefined) {
    const text = `${amount}, of ${megabytes(limit)} that max_slot_wal_keep_size allows; the slot is lost after ${megabytes(left)} more`;
    if (kept * 2n >= limit) return warning(SLOT_LAG, text, `${CATCH_UP}; or raise max_slot_wal_keep_size`);
    return fine(SLOT_LAG, text);
  }
  if (kept < warnBytes) return fine(SLOT_LAG, amount);
  return warning(
    SLOT_LAG,
    `${amount}, and max_slot_wal_keep_size sets no limit: the disk fills until the server stops`,
    `${CATCH_UP}; set max_slot_wal_keep_size to what the disk can spare`,
  );
}

/** Log is kept from the oldest open transaction on, even when everything that was committed has been read. */
async function withOldestTransaction(session: Session, slot: UsableSlot, lag: Finding): Promise<Finding> {
  if (slot.unconfirmedBytes * 4n > slot.retainedBytes) return lag;
  const [row] = await session.query(
    `SELECT pid, extract(epoch FROM now() - xact_start)::bigint, application_name FROM pg_stat_activity
     WHERE xact_start IS NOT NULL AND backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1`,
  );
  if (row === undefined) return lag;
  const [pid, seconds, application] = row;
  return {
    ...lag,
    message: `${lag.message}. Nearly all of it was read already: it is kept for the transaction of server process ${pid} (“${application}”), open for ${seconds} s`,
    remedy: `end that transaction, or run SELECT pg_terminate_backend(${pid})`,
  };
}

function idleTimeoutFinding({ idleTimeoutSeconds: seconds }: UsableSlot): Finding[] {
  if (seconds === undefined) return [];
  const text = `idle_replication_slot_timeout gives the slot up after ${seconds} s without an adapter`;
  if (seconds >= SHORTEST_IDLE_SECONDS) return [fine(SLOT_TIMEOUT, text)];
  return [
    warning(
      SLOT_TIMEOUT,
      text,
      'raise it (ALTER SYSTEM SET idle_replication_slot_timeout = …) to the longest time that the adapter may be away',
    ),
  ];
}

async function publicationFinding(
  session: Session,
  name: string,
  followed: readonly string[],
): Promise<Finding> {
  const present = await readPublication(session, name);
  if (present === undefined) return failed(PUBLICATION, publicationMissing(name, 'it does not exist'));
  const altered = alterations(present, followed);
  if (altered.length > 0) {
    return warning(
      PUBLICATION,
      `the publication ${name} was altered by somebody else: ${altered.join('; ')}`,
      'the adapter mends it and compares the tables concerned, now or at its start; leave the publication to the connector',
    );
  }
  return fine(
    PUBLICATION,
    `the publication ${name} publishes ${present.allTables ? 'all tables' : [...present.ids].join(', ')}`,
  );
}

/** Binary megabytes, as PostgreSQL's settings count. */
export function megabytes(bytes: bigint): string {
  const hundredths = (bytes * 10n) / MEGABYTE;
  return hundredths < 100n ? `${Number(hundredths) / 10} MB` : `${bytes / MEGABYTE} MB`;
}
