/** An engine that knows its answers by heart, to test the server in front of it. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BulkColumn,
  type Datum,
  type IsolationLevel,
  type Parameter,
  type ResultColumn,
  type ResultPart,
  type SqlEngine,
  SqlFailure,
  type SqlSession,
} from '../contract.ts';

export const USER = 'sa';
export const PASSWORD = 'pass wörd 世界';

export type Execution = {
  readonly session: ScriptedSession;
  readonly parameters: readonly Parameter[];
  readonly signal: AbortSignal;
};
export type Script = (execution: Execution) => AsyncIterable<ResultPart> | Iterable<ResultPart>;

/** A result set with its end. */
export function* result(
  columns: readonly ResultColumn[],
  ...rows: readonly (readonly Datum[])[]
): Generator<ResultPart> {
  yield { kind: 'columns', columns };
  yield { kind: 'rows', rows };
  yield { kind: 'done', command: 'select', rowCount: rows.length };
}

export class ScriptedEngine implements SqlEngine {
  readonly scripts = new Map<string, Script>();
  readonly procedures = new Map<string, Script>();
  readonly sessions: ScriptedSession[] = [];
  readonly loaded: { columns: readonly BulkColumn[]; rows: (readonly Datum[])[] } = { columns: [], rows: [] };

  login({
    user,
    password,
    database = 'master',
  }: {
    readonly user: string;
    readonly password: string;
    readonly database: string | undefined;
  }): SqlSession {
    if (user !== USER || password !== PASSWORD) {
      throw new SqlFailure(18456, `Login failed for user '${user}'.`, { severity: 14 });
    }
    if (!['master', 'shop'].includes(database)) {
      throw new SqlFailure(
        4060,
        `Cannot open database "${database}" requested by the login. The login failed.`,
        {
          severity: 11,
        },
      );
    }
    const session = new ScriptedSession(this, database);
    this.sessions.push(session);
    return session;
  }

  /** The answers to the batch `text`. */
  on(text: string, script: Script): void {
    this.scripts.set(text, script);
  }
}

export class ScriptedSession implements SqlSession {
  readonly id = 51;
  readonly log: string[] = [];
  readonly #engine: ScriptedEngine;
  database: string;
  transaction: bigint | undefined;
  #nextTransaction = 1n;

  constructor(engine: ScriptedEngine, database: string) {
    this.#engine = engine;
    this.database = database;
  }

  async *execute(
    batch: string,
    parameters: readonly Parameter[],
    signal: AbortSignal,
  ): AsyncGenerator<ResultPart, void, undefined> {
    const text = batch.trim();
    const script = this.#engine.scripts.get(text);
    if (script !== undefined) yield* script({ session: this, parameters, signal });
    else if (/^(set|insert bulk) /i.test(text)) yield { kind: 'done', command: 'other' };
    else
      throw new SqlFailure(102, `Incorrect syntax near '${text.slice(0, 20)}'.`, { severity: 15, line: 3 });
  }

  async *call(
    procedure: string,
    parameters: readonly Parameter[],
    signal: AbortSignal,
  ): AsyncGenerator<ResultPart, void, undefined> {
    const script = this.#engine.procedures.get(procedure);
    if (script === undefined) throw new SqlFailure(2812, `Could not find stored procedure '${procedure}'.`);
    yield* script({ session: this, parameters, signal });
  }

  begin(isolation: IsolationLevel | undefined): bigint {
    this.log.push(`begin ${isolation ?? 'as it is'}`);
    this.transaction ??= this.#nextTransaction++;
    return this.transaction;
  }

  async commit(): Promise<void> {
    this.log.push('commit');
    await delay(0);
    this.transaction = undefined;
  }

  rollback(): void {
    this.log.push('rollback');
    this.transaction = undefined;
  }

  savepoint(name: string): void {
    this.log.push(`save ${name}`);
  }

  rollbackTo(name: string): void {
    this.log.push(`rollback to ${name}`);
  }

  async bulkLoad(
    columns: readonly BulkColumn[],
    rows: AsyncIterable<readonly (readonly Datum[])[]>,
  ): Promise<number> {
    const { loaded } = this.#engine;
    loaded.columns = columns.map(({ name, type }) => ({ name, type }));
    loaded.rows = [];
    for await (const some of rows) loaded.rows.push(...some);
    return loaded.rows.length;
  }

  reset(): void {
    this.log.push('reset');
    this.transaction = undefined;
  }

  close(): void {
    this.log.push('close');
  }
}
