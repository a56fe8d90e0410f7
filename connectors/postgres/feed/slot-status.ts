/** Reads what the server says about a replication slot: whether it is usable, and how far it is. */
import type { Session } from '../session.ts';
import { slotForeign } from './slot-errors.ts';

export type SlotStatus =
  | { readonly state: 'missing' }
  /** The server has removed log that the slot needs, or has given it up for another reason. */
  | { readonly state: 'lost'; readonly reason: string }
  | {
      readonly state: 'ok';
      readonly confirmed: string;
      readonly activePid: number | undefined;
      /** Bytes of log that the server keeps for the slot. */
      readonly retainedBytes: bigint;
      /** Bytes of log written after what was confirmed. */
      readonly unconfirmedBytes: bigint;
      /** `reserved`, `extended`, `unreserved`; since 13. */
      readonly walStatus: string | undefined;
      /** Bytes of log that can still be written before the slot is in danger; absent without a limit. */
      readonly safeBytes: bigint | undefined;
      /** `max_slot_wal_keep_size` in bytes; absent without a limit. */
      readonly limitBytes: bigint | undefined;
      /** `idle_replication_slot_timeout` in seconds, since 18; absent when it is off. */
      readonly idleTimeoutSeconds: number | undefined;
      /** Carried over to standbys, since 17. */
      readonly failover: boolean;
    };

/** Every version knows other columns and settings; as a document they can be asked for without naming them. */
const STATUS = `SELECT to_jsonb(s)::text, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint,
    pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint,
    s.database IS NOT DISTINCT FROM current_database(),
    (SELECT setting::bigint * 1024 * 1024 FROM pg_settings WHERE name = 'max_slot_wal_keep_size' AND setting::bigint >= 0),
    (SELECT CASE unit WHEN 'min' THEN 60 ELSE 1 END * setting::bigint FROM pg_settings
      WHERE name = 'idle_replication_slot_timeout' AND setting::bigint > 0)
  FROM pg_replication_slots s WHERE s.slot_name = $1`;

/** Throws `PostgresFeedError` when the name is taken by a slot that is none of ours. */
export async function slotStatus(session: Session, name: string): Promise<SlotStatus> {
  const [row] = await session.query(STATUS, [name]);
  if (row === undefined) return { state: 'missing' };
  const slot: Record<string, unknown> = JSON.parse(row[0] ?? '{}');
  const foreign = foreignness(slot, row[3] === 't');
  if (foreign !== undefined) throw slotForeign(name, foreign);
  const reason = lostReason(slot);
  if (reason !== undefined) return { state: 'lost', reason };
  return {
    state: 'ok',
    confirmed: String(slot.confirmed_flush_lsn),
    activePid: typeof slot.active_pid === 'number' ? slot.active_pid : undefined,
    retainedBytes: BigInt(row[1] ?? 0),
    unconfirmedBytes: BigInt(row[2] ?? 0),
    walStatus: typeof slot.wal_status === 'string' ? slot.wal_status : undefined,
    safeBytes: typeof slot.safe_wal_size === 'number' ? BigInt(slot.safe_wal_size) : undefined,
    limitBytes: row[4] == null ? undefined : BigInt(row[4]),
    idleTimeoutSeconds: row[5] == null ? undefined : Number(row[5]),
    failover: slot.failover === true,
  };
}

function foreignness(slot: Readonly<Record<string, unknown>>, sameDatabase: boolean): string | undefined {
  if (slot.slot_type !== 'logical') return `is a ${String(slot.slot_type)} slot, not a logical one`;
  if (!sameDatabase) return `belongs to database ${String(slot.database)}`;
  if (slot.plugin !== 'pgoutput') return `uses the plugin ${String(slot.plugin)}, not pgoutput`;
  return slot.temporary === true ? 'is a temporary slot of another connection' : undefined;
}

/** `wal_status` exists since 13, `conflicting` since 16, `invalidation_reason` since 17. */
function lostReason(slot: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof slot.invalidation_reason === 'string') return slot.invalidation_reason;
  if (slot.wal_status === 'lost') return 'wal_removed';
  if (slot.conflicting === true) return 'conflict with recovery';
  return slot.restart_lsn === null || slot.confirmed_flush_lsn === null ? 'no restart_lsn' : undefined;
}
