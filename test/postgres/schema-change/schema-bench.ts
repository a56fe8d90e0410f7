/** Two tables that refer to one another, an adapter that looks at them every second, an app, and both sides compared. */
import { expect } from 'vitest';
import type { PostgresAdapter } from '../../../connectors/postgres/adapter.ts';
import type { PostgresOptions } from '../../../connectors/postgres/options.ts';
import type { LoadRequest } from '../../../src/connector/load/load-choice.ts';
import { stoppedTables } from '../../../src/connector/schema-watch/class-states.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { type Bench, objectsOf, type Place } from '../../e2e/bad-input.ts';
import type { Device } from '../../support/isthmus-processes.ts';

export const POLL = { timeout: 30_000, interval: 50 };

export const TABLES = `
  CREATE TABLE item (id integer PRIMARY KEY, name varchar(40) NOT NULL, amount integer);
  CREATE TABLE tag (id integer PRIMARY KEY, label text, item integer REFERENCES item);
  INSERT INTO item SELECT i, 'item ' || i, i FROM generate_series(1, 20) i;
  INSERT INTO tag SELECT i, 'tag ' || i, i FROM generate_series(1, 20) i`;

export const item = {
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string', amount: 'int?' },
};
export const tag = {
  name: 'tag',
  primaryKey: 'id',
  properties: { id: 'int', label: 'string?', item: 'item?' },
};
export const MODELS = [item, tag];

/** The model with further properties. */
export function extended(
  model: { readonly name: string; readonly primaryKey: string; readonly properties: Record<string, string> },
  properties: Record<string, string>,
) {
  return { ...model, properties: { ...model.properties, ...properties } };
}

export class SchemaBench {
  readonly place: Place;
  #options: Partial<PostgresOptions>;
  #adapter: PostgresAdapter | undefined;
  #device: Device | undefined;

  private constructor(place: Place, options: Partial<PostgresOptions>) {
    this.place = place;
    this.#options = {
      createPostgresSchema: false,
      schema: MODELS,
      schemaCheckInterval: 1,
      ignoreSQLerrors: false,
      ...options,
    };
  }

  /** Loaded and running. */
  static async started(
    bench: Bench,
    options: Partial<PostgresOptions> = {},
    tables = TABLES,
  ): Promise<SchemaBench> {
    const started = new SchemaBench(await bench.place(tables), options);
    await started.load();
    await started.start();
    started.#device = await started.place.device();
    return started;
  }

  get device(): Device {
    if (this.#device === undefined) throw new Error('there is no device yet');
    return this.#device;
  }

  get adapter(): PostgresAdapter {
    if (this.#adapter === undefined) throw new Error('the adapter does not run');
    return this.#adapter;
  }

  /** Class names of what was loaded. */
  async load(request: LoadRequest = {}, changes: Partial<PostgresOptions> = {}): Promise<string[]> {
    this.#options = { ...this.#options, ...changes };
    const loader = this.place.loader(this.#options);
    try {
      const report = await loader.init(request);
      return report.tables.map(({ table }) => table.replace('public.', ''));
    } finally {
      await loader.close();
    }
  }

  async start(changes: Partial<PostgresOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...changes };
    this.#adapter = await this.place.started(this.#options);
  }

  async stop(): Promise<void> {
    await this.#adapter?.close();
    this.#adapter = undefined;
  }

  sql(text: string) {
    return this.place.sql(text);
  }

  /** Waits until the rows and the objects of a class are the same, properties without a column aside. */
  async untilSame(className: string, columns: string, table = className): Promise<void> {
    const names = columns.split(', ').map((part) => part.split(' AS ').at(-1) ?? part);
    const rows = () => this.sql(`SELECT id, ${columns} FROM "${table}" ORDER BY id`);
    const objects = () =>
      objectsOf(this.device.replica, className)
        .map((object) => Object.fromEntries(['id', ...names].map((name) => [name, object[name] ?? null])))
        .sort((a, b) => Number(a.id) - Number(b.id));
    const tokens = (given: readonly Record<string, unknown>[]) => given.map((one) => JSON.stringify(one));
    await expect
      .poll(async () => {
        const found = tokens(await rows());
        const held = tokens(objects());
        return {
          onlyInTable: found.filter((token) => !held.includes(token)),
          onlyInRealm: held.filter((token) => !found.includes(token)),
        };
      }, POLL)
      .toEqual({ onlyInTable: [], onlyInRealm: [] });
  }

  /** The stopped classes, as other commands see them once the adapter is closed. */
  stopped(): string[] {
    const store = openReplicaStore(this.place.options().localPath ?? '');
    try {
      return [...stoppedTables(store).keys()];
    } finally {
      store.close();
    }
  }
}
