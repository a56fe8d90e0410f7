/** The realm of flexible sync and what its sessions share: ticks, what happened of late, bootstraps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerRealm } from '../../store/server/contract.ts';
import { Bootstraps } from './bootstraps.ts';
import { CatchUps } from './catch-ups.ts';
import { DeltaCache } from './delta-cache.ts';
import { PacedTicks } from './paced-ticks.ts';

export type FlexibleRealmOptions = {
  /** Size of a bootstrap's messages, about. */
  readonly portionBytes: number;
  /** Properties by class for which an index is kept. */
  readonly indexes: Readonly<Record<string, readonly string[]>>;
  /** Bytes of history beyond which a client is sent states instead of what led to them. */
  readonly collapsedFrom?: number;
  /** Bytes of history from which on it is looked at in slices, and the steps of one. */
  readonly slicing?: { readonly from: number; readonly steps: number };
};

export class FlexibleRealm {
  readonly realm: ServerRealm;
  readonly ticks: PacedTicks;
  readonly deltas: DeltaCache;
  readonly catchUps: CatchUps;
  readonly bootstraps: Bootstraps;
  readonly #directory: string;
  readonly #unsubscribe: () => void;
  /** Indexes whose class or property does not exist yet. */
  #missingIndexes: readonly (readonly [table: string, field: string])[];
  readonly #building = new Set<Promise<void>>();

  private constructor(
    realm: ServerRealm,
    directory: string,
    { portionBytes, indexes, collapsedFrom, slicing }: FlexibleRealmOptions,
  ) {
    this.realm = realm;
    this.#directory = directory;
    this.ticks = new PacedTicks();
    this.deltas = new DeltaCache(realm, collapsedFrom, slicing?.from);
    this.catchUps = new CatchUps(realm, collapsedFrom, slicing?.steps);
    this.bootstraps = new Bootstraps(realm, directory, portionBytes);
    this.#missingIndexes = Object.entries(indexes).flatMap(([table, fields]) =>
      fields.map((field) => [table, field] as const),
    );
    this.#buildIndexes();
    this.#unsubscribe = realm.onAdvance(() => {
      this.ticks.advance();
      if (this.#missingIndexes.length > 0) this.#buildIndexes();
    });
  }

  /** Opens a realm for flexible sync. */
  static async open(realm: ServerRealm, options: FlexibleRealmOptions): Promise<FlexibleRealm> {
    await realm.enableFlexibleSync();
    // A bootstrap has an entry, and an entry a version above 0 (spec/wire-protocol.md §4.1, §6.5).
    if (realm.head.version === 0) await realm.write([]);
    const directory = await mkdtemp(join(tmpdir(), 'isthmus-bootstraps-'));
    return new FlexibleRealm(realm, directory, options);
  }

  /** After the last session has ended. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.ticks.close();
    await this.bootstraps.close();
    await this.catchUps.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #buildIndexes(): void {
    const { schema } = this.realm;
    const missing: (readonly [string, string])[] = [];
    for (const [table, field] of this.#missingIndexes) {
      if (schema.get(table)?.columns.has(field) !== true) {
        missing.push([table, field]);
        continue;
      }
      // An index that is not there only makes queries slower; the next start tries again.
      const building = this.realm
        .ensureIndex(table, field)
        .catch(() => {})
        .finally(() => this.#building.delete(building));
      this.#building.add(building);
    }
    this.#missingIndexes = missing;
  }
}
