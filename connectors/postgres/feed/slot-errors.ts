/** What can have become of a slot, each with the way out. All of them mean that changes may have been missed. */
import { PostgresFeedError, PostgresFeedLostError, PostgresSlotHeldError } from '../errors.ts';
import { holderText, type SlotHolder } from './slot-holder.ts';

export const LOAD_REMEDY =
  'run isthmus load --resume, which makes the slot anew and compares the tables with the realms; nothing is wiped';

/** How to keep it from happening again, by what `pg_replication_slots.invalidation_reason` says. */
const PREVENTION: Readonly<Record<string, string>> = {
  idle_timeout: 'raise idle_replication_slot_timeout on the server, or let the adapter run more often',
  wal_level_insufficient: 'keep wal_level at logical',
  rows_removed: 'do not let the slot live on a standby',
};

export function slotLost(name: string, reason: string, cause?: unknown): PostgresFeedLostError {
  const prevention =
    PREVENTION[reason] ?? 'raise max_slot_wal_keep_size on the server, or watch the slot’s lag';
  return new PostgresFeedLostError(
    `the replication slot ${name} is lost (${reason}): changes may have been missed`,
    { remedy: `${LOAD_REMEDY}; then ${prevention}`, cause },
  );
}

export function slotMissing(name: string, cause?: unknown): PostgresFeedLostError {
  return new PostgresFeedLostError(
    `the replication slot ${name} does not exist: changes may have been missed`,
    { remedy: LOAD_REMEDY, cause },
  );
}

/** We confirm only what we hold, so a slot that is further was moved or made by somebody else, or our store is old. */
export function slotAhead(name: string, confirmed: string, known: string): PostgresFeedLostError {
  return new PostgresFeedLostError(
    `the replication slot ${name} stands at ${confirmed}, but changes are known only up to ${known}: those in between were missed`,
    { remedy: `${LOAD_REMEDY} (the same as load with resetPostgresReplicationSlot: true)` },
  );
}

/** The server cannot say which changes of the slot were wanted, as its publication did not exist when they were made. */
export function publicationMissing(slot: string, reason: string, cause?: unknown): PostgresFeedLostError {
  return new PostgresFeedLostError(
    `the publication of the slot ${slot} was dropped while changes were made: ${reason}`,
    { remedy: LOAD_REMEDY, cause },
  );
}

/** Somebody changed the publication: what they left out of it was not delivered meanwhile. */
export function publicationAltered(name: string, what: string): PostgresFeedLostError {
  return new PostgresFeedLostError(
    `the publication ${name} was altered by somebody else: ${what}, whose changes may have been missed`,
    { remedy: `${LOAD_REMEDY}; leave the publication to the connector` },
  );
}

/** The name is taken by a slot that no connector of this adapter can have made. */
export function slotForeign(name: string, what: string): PostgresFeedError {
  return new PostgresFeedError(`the replication slot ${name} is not this adapter’s: it ${what}`, {
    remedy: 'give the connector another adapterName, or drop that slot if nobody needs it',
  });
}

/** A connection of somebody else kept the slot for as long as we waited. */
export function slotHeld(
  name: string,
  holder: SlotHolder | undefined,
  seconds: number,
): PostgresSlotHeldError {
  return new PostgresSlotHeldError(
    `the replication slot ${name} is held by ${holderText(holder)}, also after waiting for ${seconds} s`,
    {
      remedy: `stop the other connector of this adapterName, since two must not share one slot; if it has died, run SELECT pg_terminate_backend(${holder?.pid ?? 'active_pid'}). slotWaitTime says how long to wait`,
    },
  );
}
