/**
 * A seed decides who writes what and in which order commits, capture, apply, uploads and downloads happen, and where
 * the connector crashes. The realm's server, the replicas, the merge, capture and apply are the real ones; the
 * database is simulated so that every interleaving can be had. After silence, every row equals its object.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import { RealmDictionary } from '../../src/client/realm/dictionary.ts';
import { RealmList } from '../../src/client/realm/list.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import type { ApplyStatement, TableInfo } from '../../src/connector/dialect.ts';
import { ConnectorEngine } from '../../src/connector/engine.ts';
import { stateToJs } from '../../src/connector/mapping/js-values.ts';
import type { Replica, ReplicaStore } from '../../src/store/replica/contract.ts';
import { openReplicaStore } from '../../src/store/replica/open-replica-store.ts';
import type { ServerRealm, ServerStore } from '../../src/store/server/contract.ts';
import { openServerStore } from '../../src/store/server/open.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';
import { engineOptions, noSync } from '../support/engine-options.ts';
import { Random } from '../support/random.ts';
import { SimulatedDatabase } from './simulated-database.ts';

const PATH = '/shop';
const KEYS = 5;
const STEPS = 120;
const RUNS = Number(process.env.ISTHMUS_SIMULATION_RUNS ?? 25);

const models = [
  {
    name: 'artist',
    primaryKey: 'id',
    properties: {
      id: 'int',
      name: 'string?',
      country: 'string?',
      tags: 'string[]',
      facts: 'string{}',
      friends: 'artist[]',
    },
  },
  { name: 'album', primaryKey: 'id', properties: { id: 'int', title: 'string?', artist: 'artist?' } },
];

function table(name: string, columns: string[], foreignKeys: TableInfo['foreignKeys'] = []): TableInfo {
  const all = ['id', ...columns].map((column) => ({
    name: column,
    type: 'text',
    baseType: 'text',
    nullable: column !== 'id',
    hasDefault: false,
    readOnly: false,
  }));
  return { table: { schema: 'public', name }, columns: all, primaryKey: ['id'], foreignKeys };
}

const artists = table('artist', ['name', 'country', 'tags', 'facts', 'friends']);
const albums = table(
  'album',
  ['title', 'artist'],
  [{ name: 'fk', columns: ['artist'], referenced: artists.table, referencedColumns: ['id'] }],
);

const options = engineOptions(PATH, { adapterName: 'simulated', models, createTables: false });

class Peer {
  readonly store: ReplicaStore;
  readonly replica: Replica;
  readonly #realm: ServerRealm;

  constructor(store: ReplicaStore, realm: ServerRealm) {
    this.store = store;
    this.replica = store.replica(PATH);
    this.#realm = realm;
  }

  async up(): Promise<void> {
    const { identity } = this.replica;
    if (identity === undefined) {
      const { fileIdent, salt } = await this.#realm.allocateClientFile();
      this.replica.assignIdentity(fileIdent, salt);
      return;
    }
    const { entries, progress } = this.replica.uploadScan(this.replica.upload, 200);
    const lockedServerVersion = this.replica.download.serverVersion;
    await this.#realm.integrate(identity.fileIdent, { entries, progress, lockedServerVersion });
  }

  async down(): Promise<void> {
    const { identity } = this.replica;
    if (identity === undefined) return;
    this.replica.integrate(await this.#realm.download(identity.fileIdent, this.replica.download, 100));
  }
}

/** Who writes; with one side alone nothing may come back to it. */
type Writers = 'both sides' | 'clients' | 'database';

/** What the database shows: every commit by itself, or at each poll every changed row once, as it is by then. */
type Feed = 'commits' | 'net changes';

class Simulation {
  /** Realm transactions made from the feed, and database transactions made from the realm's queue. */
  captured = 0;
  applied = 0;
  readonly #writers: Writers;
  readonly #directory = mkdtempSync(join(tmpdir(), 'isthmus-simulation-'));
  readonly #random: Random;
  readonly database: SimulatedDatabase;
  #serverStore!: ServerStore;
  #realm!: ServerRealm;
  #connector!: Peer;
  #engine!: ConnectorEngine;
  readonly #clients: { peer: Peer; objects: ObjectRealm }[] = [];
  #text = 0;

  constructor(seed: number, writers: Writers, feed: Feed) {
    this.#random = new Random(seed);
    const polls = feed === 'net changes' ? new Random(seed + 1) : undefined;
    this.database = new SimulatedDatabase([artists, albums], polls);
    this.#writers = writers;
  }

  async start(): Promise<void> {
    this.#serverStore = await openServerStore(join(this.#directory, 'server'));
    this.#realm = await this.#serverStore.realm(PATH);
    await this.#startConnector();
    for (let index = 0; index < 2; index += 1) {
      const skew = this.#random.below(2000) - 1000;
      const store = openReplicaStore(join(this.#directory, `client-${index}`), {
        now: () => Date.now() + skew,
      });
      const peer = new Peer(store, this.#realm);
      const objects = new ObjectRealm({
        reader: peer.replica,
        write: (i) => peer.replica.write(i),
        schema: models,
      });
      this.#clients.push({ peer, objects });
    }
  }

  async #startConnector(): Promise<void> {
    const store = openReplicaStore(join(this.#directory, 'connector'), { observer: queueMergedTransactions });
    this.#connector = new Peer(store, this.#realm);
    this.#engine = await ConnectorEngine.start(options, {
      dialect: this.database.dialect(),
      schema: 'public',
      store,
      sync: noSync,
      onTransaction: ({ direction }) => {
        if (direction === 'toRealm') this.captured += 1;
        else this.applied += 1;
      },
    });
  }

  async step(): Promise<void> {
    const random = this.#random;
    const client = random.pick(this.#clients);
    switch (random.below(14)) {
      case 0:
      case 1:
      case 2:
        if (this.#writers !== 'database') this.#clientWrite(client.objects);
        break;
      case 3:
      case 4:
        await client.peer.up();
        break;
      case 5:
        await client.peer.down();
        break;
      case 6:
        await this.#connector.up();
        break;
      case 7:
      case 8:
        await this.#connector.down();
        break;
      case 9:
      case 10:
        if (this.#writers !== 'clients') this.#sqlWrite();
        break;
      case 11:
        this.database.waitingCommits.shift()?.();
        break;
      case 12:
        this.database.deliver();
        break;
      default:
        if (random.chance(0.15)) await this.#crash();
    }
    await settle();
  }

  /** Everything gets through until nothing more happens. */
  async silence(): Promise<void> {
    for (let round = 0, before = ''; round < 400; round += 1) {
      for (const commit of this.database.waitingCommits.splice(0)) commit();
      await settle();
      while (this.database.delivered < this.database.log.length) this.database.deliver();
      await settle();
      for (const peer of [this.#connector, ...this.#clients.map((client) => client.peer)]) {
        await peer.up();
        await peer.down();
      }
      await settle();
      const peers = [this.#connector, ...this.#clients.map((client) => client.peer)];
      const now = JSON.stringify([
        this.#realm.head.version,
        this.database.log.length,
        this.database.waitingCommits.length,
        peers.map((peer) => [peer.replica.hasUnsynced(), peer.replica.download.serverVersion]),
      ]);
      if (now === before) return;
      before = now;
    }
    throw new Error('no silence: changes go round in circles');
  }

  rows(): string[] {
    const artistRows = this.database.rows('public.artist');
    const lines = [...artistRows.values()].map(
      (row) =>
        `artist ${row.get('id')} ${row.get('name')} ${row.get('country')} ` +
        ['tags', 'facts', 'friends'].map((name) => contents(row.get(name) ?? '[]')).join(' '),
    );
    for (const row of this.database.rows('public.album').values()) {
      const artist = row.get('artist') ?? null;
      const shown = artist !== null && artistRows.has(artist) ? artist : null;
      lines.push(`album ${row.get('id')} ${row.get('title')} ${shown}`);
    }
    return lines.sort();
  }

  objectsOf(peer: 'connector' | number): string[] {
    const { replica } = peer === 'connector' ? this.#connector : this.#clients[peer]!.peer;
    const text = (value: StateValue | undefined): string | null => {
      if (value === undefined || value.type === 'null') return null;
      if (value.type === 'link') {
        const key = value.key.type === 'int' ? value.key.value.toString() : '';
        return replica.object(value.table, value.key) === undefined ? null : key;
      }
      return 'value' in value ? String(value.value) : contents(JSON.stringify(stateToJs(value)));
    };
    const lines: string[] = [];
    for (const [name, properties] of [
      ['artist', ['name', 'country', 'tags', 'facts', 'friends']],
      ['album', ['title', 'artist']],
    ] as const) {
      for (const { key, state } of replica.objects(name)) {
        const id = key.type === 'int' ? key.value : key.type;
        lines.push(
          `${name} ${id} ${properties.map((property) => text(state.fields.get(property)) ?? (DOCUMENTS.has(property) ? '[]' : 'null')).join(' ')}`,
        );
      }
    }
    return lines.sort();
  }

  async close(): Promise<void> {
    await this.#stopConnector(true);
    for (const { peer } of this.#clients) peer.store.close();
    await this.#serverStore.close();
    rmSync(this.#directory, { recursive: true });
  }

  /** The process is gone: an SQL transaction under way is committed, or not, but nobody hears of it. */
  async #crash(): Promise<void> {
    await this.#stopConnector(this.#random.chance(0.5));
    await this.#startConnector();
  }

  async #stopConnector(commit: boolean): Promise<void> {
    this.database.lose(commit);
    await this.#engine.close();
    this.#connector.store.close();
  }

  #clientWrite(realm: ObjectRealm): void {
    const random = this.#random;
    realm.write(() => {
      for (let count = 1 + random.below(3); count > 0; count -= 1) {
        const id = 1 + random.below(KEYS);
        const artist = realm.objectForPrimaryKey('artist', id);
        const album = realm.objectForPrimaryKey('album', id);
        switch (random.below(8)) {
          case 6:
          case 7:
            if (artist !== null) this.#changeCollections(realm, id);
            break;
          case 0:
            realm.create('artist', { id, name: this.#word('c') }, 'modified');
            break;
          case 1:
            if (artist !== null) artist[random.pick(['name', 'country'])] = this.#word('c');
            break;
          case 2:
            realm.create('album', { id, title: this.#word('c'), artist: artist ?? null }, 'modified');
            break;
          case 3:
            if (album !== null) album.title = this.#word('c');
            break;
          case 4:
            // A link that this leaves without target becomes NULL in the table, which the feed rightly brings back.
            if (artist !== null && this.#writers === 'both sides' && random.chance(0.5)) realm.delete(artist);
            break;
          default:
            if (album !== null && random.chance(0.5)) realm.delete(album);
        }
      }
    });
  }

  #changeCollections(realm: ObjectRealm, id: number): void {
    const random = this.#random;
    const artist = realm.objectForPrimaryKey('artist', id);
    const [tags, facts, friends] = [artist?.tags, artist?.facts, artist?.friends];
    if (!(tags instanceof RealmList && friends instanceof RealmList && facts instanceof RealmDictionary))
      return;
    const at = random.below(tags.length + 1);
    const friend = random.below(friends.length + 1);
    switch (random.below(5)) {
      case 0:
      case 1:
        tags.splice(at, random.below(2), this.#word('c'));
        break;
      case 2:
        tags.splice(at, 1);
        break;
      case 3:
        if (random.chance(0.7)) facts.set(random.pick(['a', 'b', 'c']), this.#word('c'));
        else facts.remove(random.pick(['a', 'b', 'c']));
        break;
      default:
        friends.splice(friend, random.below(2), artist);
    }
  }

  /** What an application makes of a document, from what it reads. */
  #editedDocument(name: 'tags' | 'facts' | 'friends', id: string): string {
    const random = this.#random;
    const text = this.database.rows('public.artist').get(id)?.get(name);
    const before: unknown = JSON.parse(text ?? (name === 'facts' ? '{}' : '[]'));
    if (!Array.isArray(before))
      return JSON.stringify({ ...(before as object), [random.pick(['a', 'b', 'c'])]: this.#word('s') });
    const item = name === 'tags' ? this.#word('s') : Number(id);
    before.splice(random.below(before.length + 1), random.below(2), ...(random.chance(0.8) ? [item] : []));
    return JSON.stringify(before);
  }

  #sqlWrite(): void {
    const random = this.#random;
    const statements: ApplyStatement[] = [];
    for (let count = 1 + random.below(3); count > 0; count -= 1) {
      const id = String(1 + random.below(KEYS));
      const own = { keyColumns: ['id'] };
      switch (random.below(7)) {
        case 5:
        case 6: {
          const column = random.pick(['tags', 'facts', 'friends'] as const);
          const rows = [[id, this.#editedDocument(column, id)]];
          statements.push({ kind: 'update', table: artists, ...own, columns: [column], rows });
          break;
        }
        case 0:
          statements.push({
            kind: 'upsert',
            table: artists,
            ...own,
            columns: ['country'],
            rows: [[id, this.#word('s')]],
          });
          break;
        case 1:
          statements.push({
            kind: 'update',
            table: artists,
            ...own,
            columns: ['name'],
            rows: [[id, this.#word('s')]],
          });
          break;
        case 2: {
          const known = this.database.rows('public.artist').has(id) ? id : null;
          statements.push({
            kind: 'upsert',
            table: albums,
            ...own,
            columns: ['title', 'artist'],
            rows: [[id, this.#word('s'), known]],
          });
          break;
        }
        case 3:
          if (random.chance(0.5)) statements.push({ kind: 'delete', table: artists, ...own, rows: [[id]] });
          break;
        default:
          if (random.chance(0.5)) statements.push({ kind: 'delete', table: albums, ...own, rows: [[id]] });
      }
    }
    if (statements.length > 0) this.database.commit(statements);
  }

  #word(side: string): string {
    this.#text += 1;
    return `${side}${this.#text}`;
  }
}

const DOCUMENTS = new Set(['tags', 'facts', 'friends']);

/** Keys in order; nothing at all is an empty document. */
function contents(text: string): string {
  const json: unknown = JSON.parse(text);
  if (Array.isArray(json)) return JSON.stringify(json);
  const entries = Object.entries(json ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '[]' : JSON.stringify(entries);
}

async function settle(): Promise<void> {
  for (let count = 0; count < 3; count += 1) await turn();
}

describe.each(['commits', 'net changes'] as const)(
  'random writes on both sides with crashes in between, seen as %s',
  (feed) => {
    const first = Number(process.env.ISTHMUS_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));

    it(`end with every row equal to its object (${RUNS} runs from ISTHMUS_TEST_SEED=${first})`, async () => {
      for (let seed = first; seed < first + RUNS; seed += 1) {
        const simulation = await run(seed, 'both sides', feed);
        const rows = simulation.rows();
        const again = `ISTHMUS_TEST_SEED=${seed} ISTHMUS_SIMULATION_RUNS=1`;
        expect(simulation.objectsOf('connector'), again).toEqual(rows);
        expect(simulation.objectsOf(0), again).toEqual(rows);
        expect(simulation.objectsOf(1), again).toEqual(rows);
        await simulation.close();
      }
    });

    it(`bring nothing back to the side that wrote alone (from ISTHMUS_TEST_SEED=${first})`, async () => {
      for (let seed = first; seed < first + RUNS; seed += 1) {
        const clients = await run(seed, 'clients', feed);
        expect(clients.objectsOf('connector'), `seed ${seed}`).toEqual(clients.rows());
        expect(clients.captured, `seed ${seed}`).toBe(0);
        await clients.close();
        const database = await run(seed, 'database', feed);
        expect(database.objectsOf('connector'), `seed ${seed}`).toEqual(database.rows());
        expect(database.applied, `seed ${seed}`).toBe(0);
        await database.close();
      }
    });
  },
);

async function run(seed: number, writers: Writers, feed: Feed): Promise<Simulation> {
  const simulation = new Simulation(seed, writers, feed);
  await simulation.start();
  for (let step = 0; step < STEPS; step += 1) await simulation.step();
  await simulation.silence();
  return simulation;
}
