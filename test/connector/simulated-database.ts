/**
 * A database in memory behind the dialect contract: tables with texts, transactions in commit order, a change feed
 * that is delivered only when the simulation says so, and a writer whose commits wait for the same permission. It
 * lets a seed decide how commits, capture and apply interleave.
 */
import type { DeadLetterBox } from '../../src/connector/dead-letters/contract.ts';
import {
  type ApplyStatement,
  type Catalog,
  type ChangeFeed,
  type Checkpoint,
  type FeedChange,
  type FeedEvent,
  type FeedTable,
  type FeedValue,
  type Position,
  type SnapshotReader,
  type SourceDialect,
  type SqlText,
  type SqlWriter,
  type StateCodec,
  type TableInfo,
  tableId,
  UNCHANGED,
  type ValueCodec,
} from '../../src/connector/dialect.ts';
import { ApplyError, DataError } from '../../src/connector/errors.ts';
import type { ColumnDefinition } from '../../src/schema/definition.ts';
import type { ScalarValue } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';
import type { Random } from '../support/random.ts';
import { netPoll } from './net-feed.ts';

type Row = Map<string, SqlText>;
type Commit = {
  readonly position: Position;
  readonly own: Checkpoint | undefined;
  readonly changes: readonly FeedChange[];
};

export class SimulatedDatabase {
  readonly catalog: Catalog;
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly #feedTables = new Map<string, FeedTable>();
  readonly log: Commit[] = [];
  readonly checkpoints = new Map<string, number>();
  /** Statement rows applied by our writer, for counting what was applied twice. */
  applied = 0;
  /** Commits of our writer wait here until the simulation lets them go. */
  readonly waitingCommits: (() => void)[] = [];
  #losing: 'committed' | 'rolled back' | undefined;
  delivered = 0;
  hasFeed = false;
  #wakeFeed: () => void = () => {};
  #commits = 0;

  readonly #polls: Random | undefined;

  /** With `polls` the feed shows net changes, as by change tracking; it decides how far each poll goes. */
  constructor(tables: readonly TableInfo[], polls?: Random) {
    this.#polls = polls;
    this.catalog = new Map(tables.map((table) => [tableId(table.table), table]));
    for (const table of tables) {
      this.#rows.set(tableId(table.table), new Map());
      this.#feedTables.set(tableId(table.table), {
        table: table.table,
        columns: table.columns.map((column) => column.name),
      });
    }
  }

  rows(table: string): ReadonlyMap<string, Row> {
    return this.#table(table);
  }

  /** A transaction of somebody else. */
  commit(statements: readonly ApplyStatement[], own?: Checkpoint): void {
    const changes: FeedChange[] = [];
    for (const statement of statements) this.#run(statement, changes);
    if (own !== undefined) this.checkpoints.set(own.realmPath, own.sequence);
    this.#commits += 1;
    this.log.push({ position: String(this.#commits).padStart(9, '0') as Position, own, changes });
  }

  /** Lets the feed deliver one more committed transaction. */
  deliver(): void {
    if (this.delivered >= this.log.length) return;
    this.delivered += 1;
    this.#wakeFeed();
  }

  /** The connection of our writer breaks: what waits to be committed is committed, or not, without an answer. */
  lose(commit: boolean): void {
    this.#losing = commit ? 'committed' : 'rolled back';
    for (const release of this.waitingCommits.splice(0)) release();
  }

  /** Commits for our writer. Throws a transient `ApplyError` when the connection is lost meanwhile. */
  commitOwn(statements: readonly ApplyStatement[], own: Checkpoint | undefined): void {
    const lost = this.#losing;
    this.#losing = undefined;
    if (lost !== 'rolled back') this.commit(statements, own);
    if (lost !== undefined) throw new ApplyError('the connection is gone', { errorClass: 'transient' });
  }

  dialect(): SourceDialect {
    this.#losing = undefined;
    return new SimulatedDialect(this);
  }

  openFeed(after: Position | undefined, signal: AbortSignal): ChangeFeed {
    if (this.#polls !== undefined) {
      const events = this.#poll(Number(after ?? 0), signal, this.#polls);
      return { events, confirm: () => {}, close: async () => {} };
    }
    let next = this.log.findIndex((commit) => after === undefined || commit.position > after);
    if (next < 0) next = this.log.length;
    const database = this;
    async function* events(): AsyncGenerator<readonly FeedEvent[]> {
      while (!signal.aborted) {
        const commit = next < database.delivered ? database.log[next] : undefined;
        if (commit === undefined) {
          await new Promise<void>((resolve) => {
            database.#wakeFeed = resolve;
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
          continue;
        }
        next += 1;
        yield eventsOf(commit);
      }
    }
    return { events: events(), confirm: () => {}, close: async () => {} };
  }

  async *#poll(after: number, signal: AbortSignal, random: Random): AsyncGenerator<readonly FeedEvent[]> {
    for (let cursor = after; !signal.aborted; ) {
      if (cursor >= this.delivered) {
        await new Promise<void>((resolve) => {
          this.#wakeFeed = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        continue;
      }
      const { upTo, events } = netPoll(this.log, cursor, (table, key) => this.#imageOf(table, key), random);
      cursor = upTo;
      this.delivered = Math.max(this.delivered, upTo);
      const cut = random.below(events.length + 1);
      for (const part of [events.slice(0, cut), events.slice(cut)]) if (part.length > 0) yield part;
    }
  }

  #imageOf({ table, columns }: FeedTable, key: string): readonly SqlText[] | undefined {
    const row = this.#table(tableId(table)).get(key);
    return row === undefined ? undefined : columns.map((name) => row.get(name) ?? null);
  }

  #table(id: string): Map<string, Row> {
    const rows = this.#rows.get(id);
    if (rows === undefined) throw new Error(`no table ${id}`);
    return rows;
  }

  #run(statement: ApplyStatement, changes: FeedChange[]): void {
    const id = tableId(statement.table.table);
    const rows = this.#table(id);
    const columns = statement.table.columns.map((column) => column.name);
    const table = this.#feedTables.get(id);
    if (table === undefined) throw new Error(`no table ${id}`);
    switch (statement.kind) {
      case 'upsert':
      case 'update':
        for (const values of statement.rows) {
          const key = values[0] ?? '';
          const before = rows.get(key);
          if (before === undefined && statement.kind === 'update') continue;
          const row: Row = new Map(before ?? columns.map((name): [string, SqlText] => [name, null]));
          [...statement.keyColumns, ...statement.columns].forEach((name, index) => {
            row.set(name, values[index] ?? null);
          });
          rows.set(key, row);
          const image = columns.map((name): FeedValue => row.get(name) ?? null);
          changes.push(
            before === undefined
              ? { kind: 'insert', table, row: image }
              : { kind: 'update', table, row: image, old: undefined },
          );
        }
        return;
      case 'delete':
        for (const [key] of statement.rows) {
          if (key === null || key === undefined || !rows.delete(key)) continue;
          changes.push({
            kind: 'delete',
            table,
            old: columns.map((_, index) => (index === 0 ? key : UNCHANGED)),
          });
        }
        return;
      default:
        throw new Error(`the simulation has no ${statement.kind}`);
    }
  }
}

function eventsOf(commit: Commit): FeedEvent[] {
  const own: FeedEvent[] = commit.own === undefined ? [] : [{ kind: 'own', checkpoint: commit.own }];
  return [
    { kind: 'begin', transaction: commit.position, position: commit.position },
    ...own,
    ...commit.changes.map((change): FeedEvent => ({ kind: 'change', change })),
    { kind: 'commit', position: commit.position, committedAt: new Date(0) },
  ];
}

class SimulatedDialect implements SourceDialect {
  readonly name = 'simulated';
  readonly defaultSchema = 'public';
  readonly #database: SimulatedDatabase;

  constructor(database: SimulatedDatabase) {
    this.#database = database;
  }

  async prepare(): Promise<void> {}
  async catalog(): Promise<Catalog> {
    return this.#database.catalog;
  }
  columnTypeFor(): string {
    return 'text';
  }
  async createMissing(): Promise<readonly string[]> {
    return [];
  }
  codec(_column: unknown, property: ColumnDefinition): ValueCodec {
    if (property.type === 'int') {
      return {
        toRealm: (text) => ({ type: 'int', value: BigInt(text) }),
        toSql: (value) => (value.type === 'int' ? value.value.toString() : null),
      };
    }
    return {
      toRealm: (text) => ({ type: 'string', value: text }),
      toSql: (value) => {
        if (value.type === 'null') return null;
        if (value.type !== 'string') throw new DataError(`a ${value.type} is no text`);
        return value.value;
      },
    };
  }
  /** Documents as JSON: lists and dictionaries of strings, lists of links by key. */
  stateCodec(_column: unknown, { linkTarget }: ColumnDefinition): StateCodec {
    const item = (json: unknown): ScalarValue =>
      linkTarget === undefined
        ? { type: 'string', value: String(json) }
        : { type: 'link', table: linkTarget, key: { type: 'int', value: BigInt(String(json)) } };
    const shown = (value: StateValue): unknown => {
      if (value.type === 'link') return value.key.type === 'int' ? Number(value.key.value) : null;
      return value.type === 'string' ? value.value : null;
    };
    return {
      toRealm: (text) => {
        const json: unknown = JSON.parse(text);
        if (Array.isArray(json)) return { type: 'list', items: json.map(item) };
        const entries = Object.entries(json ?? {}).map(([key, entry]): [string, StateValue] => [
          key,
          item(entry),
        ]);
        return { type: 'dictionary', entries: new Map(entries) };
      },
      toSql: (value) => {
        if (value.type === 'list') return JSON.stringify(value.items.map(shown));
        if (value.type !== 'dictionary') throw new DataError(`a ${value.type} is no document`);
        return JSON.stringify(
          Object.fromEntries([...value.entries].map(([key, entry]) => [key, shown(entry)])),
        );
      },
    };
  }
  naturalDefinition(): ColumnDefinition {
    return { type: 'string', nullable: true, collection: 'single' };
  }
  async prepareFeed(): Promise<{ created: boolean; snapshot: SnapshotReader | undefined }> {
    const created = !this.#database.hasFeed;
    this.#database.hasFeed = true;
    return { created, snapshot: undefined };
  }
  openSnapshot(): Promise<SnapshotReader> {
    throw new Error('the simulation loads nothing');
  }
  snapshotIncludes(): boolean {
    return false;
  }
  async openFeed(after: Position | undefined, signal: AbortSignal): Promise<ChangeFeed> {
    return this.#database.openFeed(after, signal);
  }
  comparePositions(a: Position, b: Position): number {
    return Number(a) - Number(b);
  }
  isTransient(): boolean {
    return false;
  }
  async dropFeed(): Promise<void> {}
  async openWriter(): Promise<SqlWriter> {
    const database = this.#database;
    return {
      checkpoints: async () => new Map(database.checkpoints),
      apply: async (statements, [checkpoint]) => {
        await new Promise<void>((resolve) => database.waitingCommits.push(resolve));
        if (
          checkpoint !== undefined &&
          checkpoint.sequence <= (database.checkpoints.get(checkpoint.realmPath) ?? 0)
        ) {
          throw new ApplyError('a transaction was applied twice', { errorClass: 'fatal' });
        }
        database.applied += 1;
        database.commitOwn(statements, checkpoint);
      },
      rehearse: async () => ({ statements: [], failed: undefined }),
      deadLetter: async () => {
        throw new Error('the simulation has no bad data');
      },
      close: async () => {},
    };
  }
  deadLetters(): DeadLetterBox {
    return {
      prepare: async () => {},
      list: async () => [],
      read: async () => [],
      request: async () => [],
      requested: async () => [],
      acknowledge: async () => {},
      answer: async () => {},
      answerSequences: async () => {},
      discard: async () => [],
      purge: async () => [],
      keepRow: async () => {},
      removeRow: async () => {},
    };
  }
  async feedHolder(): Promise<string | undefined> {
    return undefined;
  }
  conceal(): void {}
  async fetchRows(): Promise<readonly (readonly SqlText[])[]> {
    return [];
  }
  async close(): Promise<void> {}
}
