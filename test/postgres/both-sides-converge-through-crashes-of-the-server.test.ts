/**
 * Clients of a realm and an application of the database write at random while PostgreSQL is killed and the connector
 * is stopped and started. The stores, the merge, the engine and PostgreSQL are the real ones; only the network between
 * server and replicas is left out. After silence every row equals its object, and every list its table.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PostgresDialect } from '../../connectors/postgres/postgres-dialect.ts';
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import { RealmList } from '../../src/client/realm/list.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import { POSITION_MARK } from '../../src/connector/capture/feed-consumer.ts';
import type { Position } from '../../src/connector/dialect.ts';
import { ConnectorEngine } from '../../src/connector/engine.ts';
import { openReplicaStore } from '../../src/store/replica/open-replica-store.ts';
import type { ServerRealm } from '../../src/store/server/contract.ts';
import { openServerStore } from '../../src/store/server/open.ts';
import { engineOptions, noSync } from '../support/engine-options.ts';
import { embedded, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { Random, testSeed } from '../support/random.ts';
import { dialectFor } from './feed-harness.ts';

const PATH = '/shop';
const KEYS = 8;
const STEPS = 400;
const QUIET_DEADLINE_MS = 40_000;

const models = [
  {
    name: 'artist',
    primaryKey: 'id',
    properties: { id: 'int', name: 'string?', born: 'date?', worth: 'decimal128?' },
  },
  { name: 'album', primaryKey: 'id', properties: { id: 'int', title: 'string?', artist: 'artist?' } },
  { name: 'playlist', primaryKey: 'id', properties: { id: 'int', albums: 'album[]' } },
];

const options = engineOptions(PATH, { adapterName: 'converge', models, createTables: true });

type Store = ReturnType<typeof openReplicaStore>;

/** A replica and its way to the server, taken by hand. */
class Peer {
  readonly store: Store;
  readonly replica: ReturnType<Store['replica']>;
  readonly #realm: ServerRealm;

  constructor(store: Store, realm: ServerRealm) {
    this.store = store;
    this.replica = store.replica(PATH);
    this.#realm = realm;
  }

  async sync(): Promise<void> {
    if (this.replica.identity === undefined) {
      const { fileIdent, salt } = await this.#realm.allocateClientFile();
      this.replica.assignIdentity(fileIdent, salt);
    }
    const fileIdent = this.replica.identity?.fileIdent ?? 0;
    const { entries, progress } = this.replica.uploadScan(this.replica.upload, 500);
    const lockedServerVersion = this.replica.download.serverVersion;
    await this.#realm.integrate(fileIdent, { entries, progress, lockedServerVersion });
    this.replica.integrate(await this.#realm.download(fileIdent, this.replica.download, 500));
  }
}

class Shop {
  readonly #server: TestPostgres;
  readonly #random: Random;
  readonly #directory = mkdtempSync(join(tmpdir(), 'isthmus-converge-'));
  #serverStore!: Awaited<ReturnType<typeof openServerStore>>;
  #realm!: ServerRealm;
  #database = '';
  #dialect!: PostgresDialect;
  #connector!: Peer;
  #engine!: ConnectorEngine;
  #client!: Peer;
  #objects!: ObjectRealm;
  #sql: pg.Client | undefined;
  #words = 0;

  constructor(server: TestPostgres, random: Random) {
    this.#server = server;
    this.#random = random;
  }

  async start(): Promise<void> {
    this.#database = await this.#server.createDatabase();
    this.#serverStore = await openServerStore(join(this.#directory, 'server'));
    this.#realm = await this.#serverStore.realm(PATH);
    await this.#startConnector();
    this.#client = new Peer(openReplicaStore(join(this.#directory, 'client')), this.#realm);
    this.#objects = new ObjectRealm({
      reader: this.#client.replica,
      write: (instructions) => this.#client.replica.write(instructions),
      schema: models,
    });
  }

  async #startConnector(): Promise<void> {
    this.#dialect = dialectFor(this.#server, this.#database, { adapterName: options.adapterName });
    const store = openReplicaStore(join(this.#directory, 'connector'), { observer: queueMergedTransactions });
    this.#connector = new Peer(store, this.#realm);
    this.#engine = await ConnectorEngine.start(options, {
      dialect: this.#dialect,
      schema: 'public',
      store,
      sync: noSync,
    });
  }

  async #stopConnector(): Promise<void> {
    await this.#engine.close();
    this.#connector.store.close();
    await this.#dialect.close();
  }

  async restartConnector(): Promise<void> {
    await this.#stopConnector();
    await this.#startConnector();
  }

  async crashPostgres(): Promise<void> {
    await this.#server.crash();
    this.#write();
    await this.#connector.sync();
    await this.#server.start();
  }

  async step(): Promise<void> {
    const random = this.#random;
    const dice = random.below(10);
    if (dice < 4) this.#write();
    else if (dice < 7) await this.#sqlWrite();
    else if (dice === 7) await this.#connector.sync();
    else if (dice === 8) await this.#client.sync();
    else await delay(random.below(5));
  }

  #write(): void {
    const random = this.#random;
    const realm = this.#objects;
    realm.write(() => {
      for (let count = 1 + random.below(3); count > 0; count -= 1) {
        const id = 1 + random.below(KEYS);
        const artist = realm.objectForPrimaryKey('artist', 1 + random.below(KEYS));
        const album = realm.objectForPrimaryKey('album', id);
        const playlist = realm.objectForPrimaryKey('playlist', 1);
        switch (random.below(8)) {
          case 0:
            realm.create(
              'artist',
              { id, name: this.#word('c'), born: new Date(random.below(1e12) - 5e11) },
              'modified',
            );
            break;
          case 1:
            if (artist !== null) artist.name = this.#word('c');
            break;
          case 2:
          case 3:
            realm.create('album', { id, title: this.#word('c'), artist }, 'modified');
            break;
          case 4:
            if (album !== null && random.chance(0.5)) realm.delete(album);
            break;
          case 5:
            if (artist !== null && random.chance(0.5)) realm.delete(artist);
            break;
          default: {
            if (playlist === null) realm.create('playlist', { id: 1, albums: [] });
            const list = playlist?.albums;
            if (!(list instanceof RealmList) || album === null) break;
            if (list.length > 6) list.splice(random.below(list.length), 2);
            else list.splice(random.below(list.length + 1), 0, album);
          }
        }
      }
    });
  }

  async #sqlWrite(): Promise<void> {
    const random = this.#random;
    const id = 1 + random.below(KEYS);
    const text = this.#word('s');
    const statements: readonly (readonly [string, readonly unknown[]])[] = [
      [
        'INSERT INTO artist (id, name, worth) VALUES ($1, $2, 1.50) ON CONFLICT (id) DO UPDATE SET name = excluded.name',
        [id, text],
      ],
      ['UPDATE artist SET worth = coalesce(worth, 0) + 0.25, born = now() WHERE id = $1', [id]],
      ['UPDATE album SET title = $2 WHERE id = $1', [id, text]],
      [
        'INSERT INTO album (id, title, artist) SELECT $1, $2, max(id) FROM artist ON CONFLICT (id) DO UPDATE SET artist = excluded.artist',
        [id, text],
      ],
      ['DELETE FROM album WHERE id = $1', [id]],
      ['DELETE FROM artist WHERE id = $1 AND NOT EXISTS (SELECT FROM album WHERE artist = $1)', [id]],
    ];
    const [sql, values] = random.pick(statements);
    try {
      await (await this.#connected()).query(sql, [...values]);
    } catch (error) {
      // Two transactions may meet in one row, or the server was killed meanwhile; the application would try again.
      if (!(error instanceof pg.DatabaseError) || !['23503', '40P01'].includes(error.code ?? ''))
        this.#sql = undefined;
    }
  }

  async #connected(): Promise<pg.Client> {
    if (this.#sql !== undefined) return this.#sql;
    const client = new pg.Client({
      connectionString: this.#server.url(this.#database),
      types: { getTypeParser: () => (text: string) => text },
    });
    client.on('error', () => {
      this.#sql = undefined;
    });
    await client.connect();
    this.#sql = client;
    return client;
  }

  /** Waits until nothing is on its way any more. */
  async silence(): Promise<void> {
    const deadline = Date.now() + QUIET_DEADLINE_MS;
    let before = '';
    for (let same = 0; same < 3; ) {
      if (Date.now() > deadline) throw new Error(`no silence: ${before}`);
      await this.#connector.sync();
      await this.#client.sync();
      const sql = await this.#connected();
      const { rows } = await sql.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
      const target = rows[0]?.lsn as Position;
      await this.#feedReached(target, deadline);
      const now = JSON.stringify([
        this.#realm.head.version,
        this.#pending(),
        this.#client.replica.hasUnsynced(),
      ]);
      same = now === before && this.#pending() === 0 ? same + 1 : 0;
      before = now;
      await delay(20);
    }
  }

  #pending(): number {
    return this.#engine.realms.reduce((sum, realm) => sum + realm.pending.length, 0);
  }

  async #feedReached(target: Position, deadline: number): Promise<void> {
    for (;;) {
      const at = this.#connector.store.mark(POSITION_MARK) as Position | undefined;
      if (at !== undefined && this.#dialect.comparePositions(at, target) >= 0) return;
      if (Date.now() > deadline) throw new Error(`the feed stands at ${at}, not at ${target}`);
      await Promise.race([delay(10), this.#engine.done]);
      // Lets the slot's server say how far everything is delivered.
      await (await this.#connected()).query("SELECT pg_logical_emit_message(true, 'x', 'x')").catch(() => {});
    }
  }

  async rows(): Promise<string[]> {
    const sql = await this.#connected();
    const { rows } = await sql.query<{ line: string }>(
      `SELECT concat_ws('|', 'artist', id, coalesce(name, '-'), coalesce((extract(epoch FROM born) * 1000000)::bigint::text, '-'),
         coalesce(trim_scale(worth)::text, '-')) AS line FROM artist
       UNION ALL SELECT concat_ws('|', 'album', id, coalesce(title, '-'), coalesce(artist::text, '-')) FROM album
       UNION ALL SELECT concat_ws('|', 'playlist', id, (SELECT string_agg(idx || ':' || target, ' ' ORDER BY idx)
         FROM playlist_albums l WHERE l.oid = p.id)) FROM playlist p`,
    );
    return rows.map(({ line }) => line).sort();
  }

  objects(of: 'connector' | 'client'): string[] {
    const { replica } = of === 'connector' ? this.#connector : this.#client;
    const lines: string[] = [];
    const realm = new ObjectRealm({ reader: replica, write: () => {}, schema: models });
    for (const artist of realm.objects('artist')) {
      const born = replica
        .object('artist', { type: 'int', value: BigInt(String(artist.id)) })
        ?.fields.get('born');
      const microseconds =
        born?.type === 'date' ? born.seconds * 1_000_000n + BigInt(Math.trunc(born.nanoseconds / 1000)) : '-';
      const worth = artist.worth === null ? '-' : String(Number(String(artist.worth)));
      lines.push(`artist|${artist.id}|${artist.name ?? '-'}|${microseconds}|${worth}`);
    }
    for (const album of realm.objects('album')) {
      const artist = album.artist;
      const link = artist !== null && typeof artist === 'object' && 'id' in artist ? artist.id : '-';
      lines.push(`album|${album.id}|${album.title ?? '-'}|${link}`);
    }
    for (const { key, state } of replica.objects('playlist')) {
      // As the history has it: a link to a deleted album keeps its place in the list, unseen by programs.
      const list = state.fields.get('albums');
      const items = list?.type === 'list' ? list.items : [];
      const shown = items.map((item, index) =>
        item.type === 'link' && item.key.type === 'int' ? `${index}:${item.key.value}` : `${index}:?`,
      );
      const id = key.type === 'int' ? key.value : key.type;
      lines.push(['playlist', id, ...(shown.length > 0 ? [shown.join(' ')] : [])].join('|'));
    }
    return lines.sort();
  }

  #word(side: string): string {
    this.#words += 1;
    return `${side}${this.#words}`;
  }

  async close(): Promise<void> {
    await this.#sql?.end().catch(() => {});
    await this.#engine.close();
    await this.#dialect.dropFeed();
    await this.#dialect.close();
    this.#connector.store.close();
    this.#client.store.close();
    await this.#serverStore.close();
    rmSync(this.#directory, { recursive: true });
  }
}

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());

test.runIf(embedded)(
  'every row equals its object and every list its table',
  async () => {
    const seed = testSeed();
    console.log(`ISTHMUS_TEST_SEED=${seed}`);
    const random = new Random(seed);
    const shop = new Shop(server, random);
    await shop.start();
    try {
      for (let step = 1; step <= STEPS; step += 1) {
        await shop.step();
        if (step % 130 === 0) await shop.crashPostgres();
        if (step % 90 === 0) await shop.restartConnector();
      }
      await shop.silence();
      const rows = await shop.rows();
      expect(rows.length).toBeGreaterThan(3);
      expect(shop.objects('connector'), `seed ${seed}`).toEqual(rows);
      expect(shop.objects('client'), `seed ${seed}`).toEqual(rows);
    } finally {
      await shop.close();
    }
  },
  90_000,
);
