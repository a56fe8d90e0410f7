/** A session as the wire protocol's server uses it. */
import {
  type BulkColumn,
  type Datum,
  type IsolationLevel,
  type Parameter,
  type ResultPart,
  SqlFailure,
  type SqlSession,
} from '../../contract.ts';
import type { Statement } from '../../sql/ast.ts';
import { parseBatch } from '../../sql/parse.ts';
import { releaseApplicationLocks } from './application-locks.ts';
import { attempt, inKillState } from './attempt.ts';
import { Batch, type Parts } from './batch.ts';
import { forgetBulk, loadBulk } from './bulk.ts';
import { isCompileError } from './failures.ts';
import { optionsAtFirst, settingsOf } from './options.ts';
import { callProcedure } from './procedures.ts';
import type { Session } from './session.ts';
import {
  beginTransaction,
  commitTransaction,
  rollbackToSavepoint,
  rollbackTransaction,
  saveTransaction,
} from './transactions.ts';
import type { Variable } from './variables.ts';

/** Texts that were parsed before: drivers send the same ones again and again. */
const parsed = new Map<string, readonly Statement[]>();
const MOST_KEPT = 500;
const LONGEST_KEPT = 20_000;

function parse(text: string): readonly Statement[] {
  const known = parsed.get(text);
  if (known) return known;
  const made = parseBatch(text);
  if (text.length <= LONGEST_KEPT) {
    if (parsed.size >= MOST_KEPT) parsed.clear();
    parsed.set(text, made);
  }
  return made;
}

export class Connection implements SqlSession {
  readonly #session: Session;
  readonly #firstDatabase: Session['currentDatabase'];

  constructor(session: Session) {
    this.#session = session;
    this.#firstDatabase = session.currentDatabase;
  }

  get id(): number {
    return this.#session.id;
  }

  get database(): string {
    return this.#session.currentDatabase.name;
  }

  get transaction(): bigint | undefined {
    return this.#session.transaction?.id;
  }

  async *execute(
    text: string,
    parameters: readonly Parameter[],
    signal: AbortSignal,
    scope: 'outer' | 'inner' = 'outer',
  ): AsyncIterable<ResultPart> {
    const session = this.#session;
    const batch = new Batch(session, signal);
    const variables = variablesOf(parameters);
    session.variables = variables;
    session.tableVariables = new Map();
    session.scopeIdentity = parameters.length > 0 ? undefined : session.scopeIdentity;
    const before = settingsOf(session);
    try {
      yield* this.#run(batch, async function* () {
        yield* batch.run(parse(text));
        yield* outputs(parameters, variables);
      });
    } finally {
      if (scope === 'inner') Object.assign(session, before);
    }
  }

  async *call(
    procedure: string,
    parameters: readonly Parameter[],
    signal: AbortSignal,
  ): AsyncIterable<ResultPart> {
    const batch = new Batch(this.#session, signal);
    const variables = variablesOf(parameters);
    const given = parameters.map(({ name, type, value, output }) => {
      const variable = variables.get(name.toLowerCase());
      return {
        name: name === '' ? undefined : name.toLowerCase(),
        value,
        type,
        ...(output && variable ? { variable } : {}),
      };
    });
    const name = procedure
      .split('.')
      .at(-1)!
      .replace(/^\[(.*)\]$/s, '$1');
    yield* this.#run(batch, async function* () {
      const status = yield* callProcedure(batch, name, given, 1);
      yield* outputs(parameters, variables);
      yield { kind: 'returnStatus', value: status };
    });
  }

  /** Runs a batch, with what has to be put right at its end, and after a client that left in the middle. */
  async *#run(batch: Batch, work: () => Parts<void>): AsyncIterable<ResultPart> {
    const session = this.#session;
    if (this.#session.ended) throw inKillState();
    session.statementTime = session.instance.now();
    session.attempts = 0;
    session.caught = [];
    try {
      yield* work();
    } catch (error) {
      if (batch.signal.aborted && session.transaction && session.options.xactAbort) {
        yield { kind: 'transaction', ...rollbackTransaction(session) };
      }
      if (
        error instanceof SqlFailure &&
        session.transaction &&
        session.options.xactAbort &&
        error.rolledBack &&
        !isCompileError(error)
      ) {
        yield { kind: 'transaction', ...rollbackTransaction(session) };
      }
      if (session.transaction?.doomed) yield { kind: 'transaction', ...rollbackTransaction(session) };
      throw error;
    } finally {
      session.tableVariables = new Map();
    }
    if (session.transaction?.doomed) {
      yield { kind: 'transaction', ...rollbackTransaction(session) };
      throw new SqlFailure(
        3998,
        'Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.',
      );
    }
  }

  begin(isolation: IsolationLevel | undefined): bigint {
    beginTransaction(this.#session, isolation);
    return this.#session.transaction!.id;
  }

  async commit(): Promise<void> {
    commitTransaction(this.#session);
  }

  rollback(): void {
    rollbackTransaction(this.#session);
  }

  savepoint(name: string): void {
    saveTransaction(this.#session, name);
  }

  rollbackTo(name: string): void {
    rollbackToSavepoint(this.#session, name);
  }

  async bulkLoad(
    columns: readonly BulkColumn[],
    rows: AsyncIterable<readonly (readonly Datum[])[]>,
    signal: AbortSignal,
  ): Promise<number> {
    const session = this.#session;
    const all: (readonly Datum[])[] = [];
    for await (const some of rows) {
      signal.throwIfAborted();
      for (const row of some) all.push(row);
    }
    try {
      const count = await attempt(session, signal, (run) => loadBulk(session, run, columns, all));
      session.rowCount = count;
      return count;
    } catch (error) {
      const dies = error instanceof SqlFailure && (session.options.xactAbort || error.rolledBack);
      if (dies && session.transaction) rollbackTransaction(session);
      throw error;
    } finally {
      forgetBulk(session);
    }
  }

  reset(): void {
    const session = this.#session;
    if (session.transaction) rollbackTransaction(session);
    releaseApplicationLocks(session);
    session.temporary.clear();
    session.context.clear();
    session.options = optionsAtFirst(session.instance.faults.noCountAtFirst);
    session.owner.deadlockPriority = 0;
    session.identityInsert = undefined;
    session.scopeIdentity = undefined;
    session.lastIdentity = undefined;
    while (session.impersonated.length > 0) session.login = session.impersonated.pop()!;
    session.currentDatabase = this.#firstDatabase;
    forgetBulk(session);
  }

  close(): void {
    if (this.#session.ended) return;
    this.reset();
    this.#session.instance.locks.endWait(this.#session.owner);
    this.#session.ended = true;
    this.#session.instance.sessions.delete(this.id);
  }
}

function variablesOf(parameters: readonly Parameter[]): Map<string, Variable> {
  return new Map(parameters.map(({ name, type, value }) => [name.toLowerCase(), { name, type, value }]));
}

function* outputs(
  parameters: readonly Parameter[],
  variables: ReadonlyMap<string, Variable>,
): Iterable<ResultPart> {
  for (const { name, type, output } of parameters) {
    const variable = variables.get(name.toLowerCase());
    if (output && variable) yield { kind: 'output', name, type, value: variable.value };
  }
}
