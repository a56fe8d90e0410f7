/** The reading side of a connector on a test database: dialect, feed with limits of its own, and what it delivers. */
import {
  ChangeTrackingFeed,
  type ChangeTrackingOptions,
} from '../../../connectors/sqlserver/feed/change-tracking-feed.ts';
import { Session, type SessionContext } from '../../../connectors/sqlserver/session.ts';
import {
  createSqlServerDialect,
  type SqlServerDialect,
} from '../../../connectors/sqlserver/sqlserver-dialect.ts';
import type { FeedEvent, FeedKnown, FeedValue, Position, TableInfo } from '../../../src/connector/dialect.ts';
import { UNCHANGED } from '../../../src/connector/dialect.ts';
import { LastingSession } from '../../../src/connector/lasting-session.ts';
import { silentLogger } from '../../../src/log.ts';
import type { Credentials, TestSqlServer } from '../../support/sqlserver.ts';
import { prepareDatabase } from '../feed-harness.ts';
import { connectionTo } from '../session-context.ts';

export type BenchOptions = Partial<ChangeTrackingOptions> & { readonly login?: Credentials };

const NOTHING: FeedKnown = { position: undefined, committed: undefined, source: undefined };

export class FeedBench {
  readonly server: TestSqlServer;
  readonly database: string;
  readonly dialect: SqlServerDialect;
  readonly feed: ChangeTrackingFeed;
  readonly #session: LastingSession<Session>;
  readonly #readers: FeedReading[] = [];

  constructor(server: TestSqlServer, database: string, options: BenchOptions = {}) {
    this.server = server;
    this.database = database;
    const { login, adapterName = 'shop', logger = silentLogger } = options;
    const connection = connectionTo(server, database, login);
    const context: SessionContext = { connection, logger, printCommands: false, adapterName };
    this.dialect = createSqlServerDialect({
      connection,
      schema: 'dbo',
      engine: { adapterName, logger, printCommands: false },
    });
    this.#session = new LastingSession(() => Session.open(context));
    this.feed = new ChangeTrackingFeed(context, async (_doing, use) => use(await this.#session.open()), {
      pollMilliseconds: 20,
      waitMilliseconds: 300,
      ...options,
      adapterName,
      logger,
    });
  }

  /** A database in which changes can be followed, with the tables of the script. */
  static async make(server: TestSqlServer, script: string, options: BenchOptions = {}): Promise<FeedBench> {
    const database = await server.createDatabase();
    await prepareDatabase(server, database);
    await server.script(database, script);
    const bench = new FeedBench(server, database, options);
    await bench.dialect.prepare({ createDatabase: false });
    return bench;
  }

  async tables(...names: string[]): Promise<TableInfo[]> {
    const catalog = await this.dialect.catalog();
    return names.map((name) => {
      const table = catalog.get(`dbo.${name}`);
      if (table === undefined) throw new Error(`no table ${name}`);
      return table;
    });
  }

  /** Begins the feed for the tables, and opens it where it begins. */
  async follow(...names: string[]): Promise<FeedReading> {
    const source = await this.feed.checkSource(NOTHING);
    const { snapshot, start } = await this.feed.prepare(await this.tables(...names), { reset: false });
    await snapshot?.close();
    return this.open({ position: start, committed: undefined, source });
  }

  async open(known: FeedKnown): Promise<FeedReading> {
    const abort = new AbortController();
    const opened = await this.feed.open(known.position, abort.signal, known);
    const reading = new FeedReading(opened, abort, known.position);
    this.#readers.push(reading);
    return reading;
  }

  async sql(text: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    return this.server.query(this.database, text);
  }

  /** Several statements in one transaction. */
  async transaction(...statements: string[]): Promise<void> {
    await this.sql(`SET XACT_ABORT ON; BEGIN TRANSACTION; ${statements.join('; ')}; COMMIT TRANSACTION;`);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
    await this.#session.close();
    await this.dialect.close();
  }
}

type Feed = Awaited<ReturnType<ChangeTrackingFeed['open']>>;

/** Takes events, and confirms what it has taken. */
export class FeedReading {
  readonly events: FeedEvent[] = [];
  readonly feed: Feed;
  /** Resolves with what ended the feed. */
  readonly ended: Promise<unknown>;
  position: Position | undefined;
  readonly #abort: AbortController;
  #look: () => void = () => {};

  constructor(feed: Feed, abort: AbortController, position: Position | undefined) {
    this.feed = feed;
    this.position = position;
    this.#abort = abort;
    this.ended = this.#read().catch((error: unknown) => error);
  }

  get known(): FeedKnown {
    return { position: this.position, committed: this.position, source: this.feed.source };
  }

  async #read(): Promise<void> {
    try {
      for await (const events of this.feed.events) {
        this.events.push(...events);
        for (const event of events)
          if (event.kind === 'commit' || event.kind === 'idle') {
            this.position = event.position;
            this.feed.confirm(event.position);
          }
        this.#look();
      }
    } finally {
      this.#look();
    }
  }

  async until(condition: () => boolean): Promise<void> {
    let error: unknown = 'open';
    this.ended.then((cause) => {
      error = cause;
      this.#look();
    });
    while (!condition()) {
      if (error !== 'open') throw error ?? new Error('the feed ended');
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  /** The changes so far, each as a line, in transactions; those without changes are left out. */
  async transactions(count: number): Promise<string[][]> {
    await this.until(() => this.#transactions().length >= count);
    return this.#transactions();
  }

  /** Waits for a row (or its deletion) to come. */
  async line(text: string): Promise<string[][]> {
    await this.until(() => this.#transactions().flat().includes(text));
    return this.#transactions();
  }

  #transactions(): string[][] {
    const transactions: string[][] = [];
    let open: string[] = [];
    for (const event of this.events) {
      if (event.kind === 'begin') open = [];
      if (event.kind === 'own') open.push(`own ${event.checkpoint.realmPath} ${event.checkpoint.sequence}`);
      if (event.kind === 'change' && event.change.kind !== 'truncate') {
        const { change } = event;
        const row = change.kind === 'delete' ? change.old : change.row;
        open.push(`${change.kind} ${change.table.table.name} ${shown(row)}`);
      }
      if (event.kind === 'commit' && open.length > 0) transactions.push(open);
    }
    return transactions;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.ended;
    await this.feed.close();
  }
}

function shown(row: readonly FeedValue[]): string {
  return row.map((value) => (value === UNCHANGED ? '~' : (value ?? '∅'))).join('|');
}
