/** The replication slot: its creation with a snapshot of that instant, its removal. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Position } from '../../../src/connector/dialect.ts';
import type { Logger } from '../../../src/log.ts';
import { PostgresFeedError, PostgresPrivilegeError } from '../errors.ts';
import { message } from '../preparation.ts';
import { Session, type SessionContext } from '../session.ts';
import { sqlStateOf } from '../sql-state.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';
import { holderText, slotHolder } from './slot-holder.ts';

/** Slot creation waits for transactions that are open; after this time the log says so. */
const WAIT_WARNING_MS = 5_000;

export type CreatedSlot = {
  readonly snapshotName: string;
  /** Everything committed later is delivered, nothing before. */
  readonly start: Position;
  readonly connection: Session;
};

/**
 * Creates the slot and returns the name of the snapshot that shows exactly what the slot will not deliver. The
 * snapshot can be imported until `connection` runs another command or closes. `failover` needs version 17.
 */
export async function createSlot(
  context: SessionContext,
  name: string,
  { failover }: { failover: boolean },
): Promise<CreatedSlot> {
  const connection = await Session.open(context, { replication: true, name: 'isthmus slot' });
  const warning = setTimeout(() => warnOfWaiting(context.logger, name), WAIT_WARNING_MS);
  try {
    // Versions before 15 know the option without parentheses only.
    const options = failover ? "(SNAPSHOT 'export', FAILOVER)" : 'EXPORT_SNAPSHOT';
    const [row] = await connection.simple(
      `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} LOGICAL pgoutput ${options}`,
    );
    const [, start, snapshotName] = row ?? [];
    if (start == null || snapshotName == null)
      throw new PostgresFeedError(`the slot ${name} came without a snapshot`);
    return { snapshotName, start: start as Position, connection };
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

/** Drops the slot when it exists. Throws `PostgresFeedError`, naming the holder, when another process keeps using it. */
export async function dropSlot(session: Session, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const [row] = await session.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [name]);
    if (row === undefined) return;
    try {
      await session.query(`SELECT pg_drop_replication_slot(${quoteLiteral(name)})`);
      return;
    } catch (cause) {
      if (sqlStateOf(cause) !== '55006') {
        throw new PostgresFeedError(`the replication slot ${name} cannot be dropped: ${message(cause)}`, {
          cause,
        });
      }
      if (attempt === DROP_ATTEMPTS) {
        const holder = await slotHolder(session, name);
        throw new PostgresFeedError(
          `the replication slot ${name} cannot be dropped: it is held by ${holderText(holder)}`,
          {
            remedy: `stop the connector that uses it, or run SELECT pg_terminate_backend(${holder?.pid ?? 'pid'})`,
            cause,
          },
        );
      }
    }
    await delay(DROP_DELAY_MS);
  }
}
