/** The subscription sets of all replicas of flexible sync (spec/server-history.md §9.1). */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { StoredSubscriptionSet } from './flexible-contract.ts';

const stateSchema = z.enum(['pending', 'bootstrapping', 'awaitingMark', 'complete', 'error']);
const subscriptionsSchema = z.array(
  z.object({
    id: z.string(),
    name: z.string().optional(),
    table: z.string(),
    query: z.string(),
    createdAt: z.number(),
    updatedAt: z.number(),
  }),
);

export class SubscriptionTable {
  readonly #put: StatementSync;
  readonly #all: StatementSync;
  readonly #find: StatementSync;
  readonly #latest: StatementSync;
  readonly #active: StatementSync;
  readonly #nextPending: StatementSync;
  readonly #dropBelow: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare(`INSERT OR REPLACE INTO subscription_sets
      (replica, version, state, snapshot_version, snapshot_server, error, subscriptions)
      VALUES (?, ?, ?, ?, ?, ?, ?)`);
    const select = 'SELECT * FROM subscription_sets WHERE replica = ?';
    this.#all = database.prepare(`${select} ORDER BY version`);
    this.#find = database.prepare(`${select} AND version = ?`);
    this.#latest = database.prepare(`${select} ORDER BY version DESC LIMIT 1`);
    this.#active = database.prepare(
      `${select} AND state IN ('complete', 'awaitingMark') ORDER BY version DESC LIMIT 1`,
    );
    this.#nextPending = database.prepare(
      `${select} AND version > ? AND state IN ('pending', 'bootstrapping') ORDER BY version LIMIT 1`,
    );
    this.#dropBelow = database.prepare('DELETE FROM subscription_sets WHERE replica = ? AND version < ?');
  }

  put(replica: number, set: StoredSubscriptionSet): void {
    const { version, state, snapshot, error, subscriptions } = set;
    const { clientVersion, serverVersion } = snapshot;
    const text = JSON.stringify(subscriptions);
    this.#put.run(replica, version, state, clientVersion, serverVersion, error ?? null, text);
  }

  all(replica: number): StoredSubscriptionSet[] {
    return this.#all.all(replica).map(fromRow);
  }

  find(replica: number, version: number): StoredSubscriptionSet | undefined {
    return optional(this.#find.get(replica, version));
  }

  latest(replica: number): StoredSubscriptionSet | undefined {
    return optional(this.#latest.get(replica));
  }

  /** The newest set that was bootstrapped. */
  active(replica: number): StoredSubscriptionSet | undefined {
    return optional(this.#active.get(replica));
  }

  nextPending(replica: number, after: number): StoredSubscriptionSet | undefined {
    return optional(this.#nextPending.get(replica, after));
  }

  dropBelow(replica: number, version: number): void {
    this.#dropBelow.run(replica, version);
  }

  forgetAll(replica: number): void {
    this.#dropBelow.run(replica, Number.MAX_SAFE_INTEGER);
  }
}

function optional(row: Record<string, SQLOutputValue> | undefined): StoredSubscriptionSet | undefined {
  return row && fromRow(row);
}

function fromRow(row: Record<string, SQLOutputValue>): StoredSubscriptionSet {
  return {
    version: Number(row.version),
    state: stateSchema.parse(row.state),
    snapshot: { clientVersion: Number(row.snapshot_version), serverVersion: Number(row.snapshot_server) },
    subscriptions: subscriptionsSchema
      .parse(JSON.parse(String(row.subscriptions)))
      .map((subscription) => ({ ...subscription, name: subscription.name })),
    error: row.error === null ? undefined : String(row.error),
  };
}
