/** The replication slot: its health, its creation with a snapshot of that instant, its removal. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../src/log.ts';
import { PostgresFeedError, PostgresFeedLostError, PostgresPrivilegeError } from '../errors.ts';
import { message } from '../preparation.ts';
import { Session, type SessionContext } from '../session.ts';
import { sqlStateOf } from '../sql-state.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';

export const LOAD_REMEDY =
  'run isthmus load, which makes the slot anew and compares the tables with the realms; nothing is wiped';

export type SlotStatus =
  | { readonly state: 'missing' }
  /** The server has removed log that the slot needs. */
  | { readonly state: 'lost'; readonly reason: string }
  | {
      readonly state: 'ok';
      readonly confirmed: string;
      readonly activePid: number | undefined;
      /** Bytes of log that the server keeps for the slot. */
      readonly retainedBytes: bigint;
    };

/** Every version knows other columns; as a document they can be asked for without naming them. */
const STATUS = `SELECT to_jsonb(s)::text, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint,
    s.database = current_database() FROM pg_replication_slots s WHERE s.slot_name = $1`;

/** Throws `PostgresFeedError` when the name is taken by a slot that is none of ours. */
export async function slotStatus(session: Session, name: string): Promise<SlotStatus> {
  const [row] = await session.query(STATUS, [name]);
  if (row === undefined) return { state: 'missing' };
  const slot: Record<string, unknown> = JSON.parse(row[0] ?? '{}');
  if (slot.plugin !== 'pgoutput' || row[2] !== 't') {
    throw new PostgresFeedError(
      `the replication slot ${name} belongs to database ${slot.database} and plugin ${slot.plugin}`,
      {
        remedy: 'give the connector another adapterName, or drop that slot',
      },
    );
  }
  const reason = lostReason(slot);
  if (reason !== undefined) return { state: 'lost', reason };
  return {
    state: 'ok',
    confirmed: String(slot.confirmed_flush_lsn),
    activePid: typeof slot.active_pid === 'number' ? slot.active_pid : undefined,
    retainedBytes: BigInt(row[1] ?? 0),
  };
}

/** `wal_status` exists since 13, `conflicting` since 16, `invalidation_reason` since 17. */
function lostReason(slot: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof slot.invalidation_reason === 'string') return slot.invalidation_reason;
  if (slot.wal_status === 'lost') return 'wal_removed';
  if (slot.conflicting === true) return 'conflict with recovery';
  return slot.restart_lsn === null ? 'no restart_lsn' : undefined;
}

export function slotLost(name: string, reason: string, cause?: unknown): PostgresFeedLostError {
  return new PostgresFeedLostError(
    `the replication slot ${name} is lost (${reason}): changes may have been missed`,
    {
      remedy: `${LOAD_REMEDY}; then raise max_slot_wal_keep_size on the server, or watch the slot's lag`,
      cause,
    },
  );
}

export function slotMissing(name: string, cause?: unknown): PostgresFeedLostError {
  return new PostgresFeedLostError(
    `the replication slot ${name} does not exist: changes may have been missed`,
    {
      remedy: LOAD_REMEDY,
      cause,
    },
  );
}

/** We confirm only what we hold, so a slot that is further was moved or made by somebody else, or our store is old. */
export function slotAhead(name: string, confirmed: string, known: string): PostgresFeedLostError {
  return new PostgresFeedLostError(
    `the replication slot ${name} stands at ${confirmed}, but changes are known only up to ${known}: those in between were missed`,
    {
      remedy:
        'run isthmus load with resetPostgresReplicationSlot: true, which makes the slot anew and compares the tables with the realms; nothing is wiped',
    },
  );
}

/** Slot creation waits for transactions that are open; after this time the log says so. */
const WAIT_WARNING_MS = 5_000;

/**
 * Creates the slot and returns the name of the snapshot that shows exactly what the slot will not deliver. The
 * snapshot can be imported until `connection` runs another command or closes.
 */
export async function createSlot(
  context: SessionContext,
  name: string,
): Promise<{ readonly snapshotName: string; readonly connection: Session }> {
  const connection = await Session.open(context, { replication: true, name: 'isthmus slot' });
  const warning = setTimeout(() => warnOfWaiting(context.logger, name), WAIT_WARNING_MS);
  try {
    const [row] = await connection.simple(
      `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} LOGICAL pgoutput EXPORT_SNAPSHOT`,
    );
    const snapshotName = row?.[2];
    if (snapshotName == null) throw new PostgresFeedError(`the slot ${name} came without a snapshot`);
    return { snapshotName, connection };
  } catch (cause) {
    await connection.close();
    if (sqlStateOf(cause) !== '42501') {
      throw new PostgresFeedError(`the replication slot ${name} cannot be made: ${message(cause)}`, {
        cause,
      });
    }
    throw new PostgresPrivilegeError(`the replication slot ${name} cannot be made: ${message(cause)}`, {
      remedy: 'run ALTER ROLE … REPLICATION for the user as a superuser',
      cause,
    });
  } finally {
    clearTimeout(warning);
  }
}

function warnOfWaiting(logger: Logger, name: string): void {
  logger.warn('Making the replication slot waits for transactions that were open before it', {
    slot: name,
    remedy: 'end old transactions: SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start',
  });
}

/** A walsender whose client has gone may hold the slot for a moment. */
const DROP_ATTEMPTS = 50;
const DROP_DELAY_MS = 100;

/** Drops the slot when it exists. Throws `PostgresFeedError` when another process keeps using it. */
export async function dropSlot(session: Session, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const [row] = await session.query('SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1', [
      name,
    ]);
    if (row === undefined) return;
    try {
      await session.query(`SELECT pg_drop_replication_slot(${quoteLiteral(name)})`);
      return;
    } catch (cause) {
      if (sqlStateOf(cause) !== '55006' || attempt === DROP_ATTEMPTS) {
        throw new PostgresFeedError(`the replication slot ${name} cannot be dropped: ${message(cause)}`, {
          remedy: `stop the connector that uses it, or run SELECT pg_terminate_backend(${row[0] ?? 'pid'})`,
          cause,
        });
      }
    }
    await delay(DROP_DELAY_MS);
  }
}
