/** Speaks to the simulator's engine without a wire, for tests of what it does. */
import type { Datum, Parameter, ResultPart, ServerMessage, SqlEngine, SqlSession } from './contract.ts';
import { SqlFailure } from './contract.ts';
import { type OpenedEngine, openEngine } from './engine/open-engine.ts';
import { splitBatches } from './sql/batches.ts';

/** A value as tests write it: whole numbers as numbers where that is exact. */
export type Plain = null | boolean | number | string | object;
export type PlainRow = Readonly<Record<string, Plain>>;

export type Outcome = {
  readonly sets: readonly (readonly PlainRow[])[];
  readonly counts: readonly (number | undefined)[];
  readonly messages: readonly ServerMessage[];
  readonly parts: readonly ResultPart[];
};

export class Client {
  readonly session: SqlSession;
  readonly #abort = new AbortController();

  constructor(session: SqlSession) {
    this.session = session;
  }

  /** Executes a batch; the first error, also one after which the batch went on, is thrown. */
  async run(batch: string, parameters: readonly Parameter[] = []): Promise<Outcome> {
    const parts: ResultPart[] = [];
    for await (const part of this.session.execute(batch, parameters, this.#abort.signal)) parts.push(part);
    const outcome = outcomeOf(parts);
    const error = outcome.messages.find((message) => message.severity > 10);
    if (error) throw new SqlFailure(error.number, error.message, error);
    return outcome;
  }

  /** The rows of the first result set. */
  async rows(batch: string, parameters: readonly Parameter[] = []): Promise<readonly PlainRow[]> {
    return (await this.run(batch, parameters)).sets[0] ?? [];
  }

  /** The single value of the first row. */
  async value(batch: string): Promise<Plain> {
    const [row] = await this.rows(batch);
    return row ? (Object.values(row)[0] ?? null) : null;
  }

  /** The number of the error that the batch fails with; undefined when it does not. */
  async failure(batch: string): Promise<number | undefined> {
    try {
      await this.run(batch);
      return undefined;
    } catch (error) {
      if (error instanceof SqlFailure) return error.number;
      throw error;
    }
  }

  /** Executes a script with its GO lines. */
  async script(text: string): Promise<void> {
    for (const batch of splitBatches(text)) await this.run(batch);
  }

  /** Gives up what is being executed, as a client's attention does. */
  abort(): void {
    this.#abort.abort();
  }
}

function outcomeOf(parts: readonly ResultPart[]): Outcome {
  const sets: PlainRow[][] = [];
  let names: readonly string[] = [];
  for (const part of parts) {
    if (part.kind === 'columns') {
      names = part.columns.map(({ name }, at) => (name === '' ? `column${at + 1}` : name));
      sets.push([]);
    } else if (part.kind === 'rows') {
      for (const row of part.rows) {
        sets.at(-1)!.push(Object.fromEntries(row.map((value, at) => [names[at], plain(value)])));
      }
    }
  }
  return {
    sets,
    counts: parts.flatMap((part) => (part.kind === 'done' ? [part.rowCount] : [])),
    messages: parts.flatMap((part) => (part.kind === 'message' ? [part.message] : [])),
    parts,
  };
}

function plain(value: Datum): Plain {
  if (typeof value !== 'bigint')
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

export type TestServer = OpenedEngine & {
  /** A session in the database, as `sa` or as another login with the password `Secret_1`. */
  connect(user?: string, database?: string): Client;
};

/** A server with an empty database `test`, where snapshots are allowed and changes tracked. */
export async function testServer(directory?: string): Promise<TestServer> {
  const opened = await openEngine({
    password: 'Secret_1',
    ...(directory === undefined ? {} : { directory }),
  });
  const server = {
    ...opened,
    connect: (user = 'sa', database = 'test') => connectTo(opened.engine, user, database),
  };
  const first = server.connect('sa', 'master');
  await first.run(`IF DB_ID('test') IS NULL CREATE DATABASE test`);
  first.session.close();
  return server;
}

export function connectTo(engine: SqlEngine, user: string, database: string): Client {
  return new Client(engine.login({ user, password: 'Secret_1', database, host: 'test', program: 'test' }));
}

export const TRACKED = `
ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION ON;
ALTER DATABASE test SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON);
CREATE TABLE dbo.item (id int NOT NULL PRIMARY KEY, a nvarchar(20), b int, c AS (b + 1));
ALTER TABLE dbo.item ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON);`;
