/** Executes the statements of a batch: control flow, errors and what becomes of them, and results as they are made. */
import { type Datum, type ResultPart, type ServerMessage, SqlFailure, type SqlType } from '../../contract.ts';
import type { Statement } from '../../sql/ast.ts';
import { compileCondition, compileExpression } from '../../sql/expressions/compile.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { newEnv } from '../executor/environment.ts';
import { QueryScope } from '../executor/query-scope.ts';
import type { StatementResult } from '../executor/statement-result.ts';
import { executeDataStatement, isDataStatement } from '../executor/statements.ts';
import { attempt } from './attempt.ts';
import { declareTableVariable, declareVariables } from './declarations.ts';
import { endsBatch, endsTransaction, isCompileError, isDeadly, withLine } from './failures.ts';
import { executeProcedure } from './procedures.ts';
import { raise, rethrown, thrown } from './raising.ts';
import type { Session } from './session.ts';
import { executeSessionStatement, type SessionOutcome } from './session-statements.ts';
import { executeTransactionStatement } from './transaction-statements.ts';
import { beginTransaction, rollbackTransaction } from './transactions.ts';
import { assignVariable } from './variables.ts';

/** Rows are handed on in chunks of this size, so that a slow client holds no more than one. */
const ROWS_IN_A_PART = 256;

export type Flow = 'next' | 'break' | 'continue' | 'return';
export type Parts<T> = AsyncGenerator<ResultPart, T, undefined>;

export class Batch {
  readonly session: Session;
  readonly signal: AbortSignal;
  /** RETURN's value, for those who called the procedure. */
  status = 0;
  readonly #depth: number;

  constructor(session: Session, signal: AbortSignal, depth = 0) {
    this.session = session;
    this.signal = signal;
    this.#depth = depth;
  }

  get depth(): number {
    return this.#depth;
  }

  async *run(statements: readonly Statement[]): Parts<Flow> {
    for (const statement of statements) {
      this.signal.throwIfAborted();
      const flow = yield* this.#guarded(statement);
      if (flow !== 'next') return flow;
    }
    return 'next';
  }

  /** One statement, with what an error means where no TRY is around: the batch goes on, or ends. */
  async *#guarded(statement: Statement): Parts<Flow> {
    const { session } = this;
    try {
      const flow = yield* this.#statement(statement);
      if (statement.kind !== 'if' && statement.kind !== 'while' && statement.kind !== 'block')
        session.lastError = 0;
      return flow;
    } catch (error) {
      if (!(error instanceof SqlFailure) || error instanceof Settled) throw error;
      const failure = withLine(error, statement.line);
      session.lastError = failure.number;
      if (session.attempts > 0) throw failure;
      const aborts = session.options.xactAbort && raisedByEngine(statement);
      if ((aborts || endsTransaction(failure)) && session.transaction) {
        const event = rollbackTransaction(session);
        yield { kind: 'transaction', ...event };
      }
      if (aborts || endsBatch(failure) || statement.kind === 'throw') throw new Settled(failure);
      yield { kind: 'message', message: messageOf(failure) };
      yield { kind: 'done', command: 'other' };
      return 'next';
    }
  }

  async *#statement(statement: Statement): Parts<Flow> {
    const { session } = this;
    if (isDataStatement(statement)) {
      if (session.options.implicitTransactions && !session.transaction) {
        const event = beginTransaction(session);
        if (event) yield { kind: 'transaction', ...event };
      }
      const result = await attempt(session, this.signal, (run) => executeDataStatement(statement, run));
      yield* this.results(result);
      return 'next';
    }
    switch (statement.kind) {
      case 'block':
        return yield* this.run(statement.statements);
      case 'if': {
        const holds = await this.#condition(statement.condition);
        if (holds) return yield* this.#guarded(statement.body);
        return statement.otherwise ? yield* this.#guarded(statement.otherwise) : 'next';
      }
      case 'while':
        return yield* this.#while(statement);
      case 'break':
      case 'continue':
        return statement.kind;
      case 'return':
        if (statement.value) this.status = Number((await this.evaluate(statement.value)).value ?? 0);
        return 'return';
      case 'tryCatch':
        return yield* this.#tryCatch(statement);
      case 'throw':
        throw statement.error
          ? await thrown(this, statement.error, statement.line)
          : rethrown(session, statement.line);
      case 'raiserror':
        yield* raise(this, statement);
        return 'next';
      case 'print': {
        const { value } = await this.evaluate(statement.value, { kind: 'nvarchar', length: 4000 });
        yield {
          kind: 'message',
          message: { number: 0, severity: 0, state: 1, message: String(value ?? ' '), line: statement.line },
        };
        return 'next';
      }
      case 'declare':
        await declareVariables(this, statement);
        return 'next';
      case 'declareTable':
        declareTableVariable(session, statement);
        return 'next';
      case 'setVariable': {
        const { value, type } = await this.evaluate(statement.value);
        assignVariable(session, statement.name, statement.operator, value, type, statement.line);
        return 'next';
      }
      case 'beginTransaction':
      case 'commitTransaction':
      case 'rollbackTransaction':
      case 'saveTransaction': {
        const event = executeTransactionStatement(session, statement);
        if (event) yield { kind: 'transaction', ...event };
        yield { kind: 'done', command: 'other' };
        return 'next';
      }
      case 'execute':
      case 'executeText':
        yield* executeProcedure(this, statement);
        return 'next';
      default: {
        const outcome: SessionOutcome = await executeSessionStatement(this, statement);
        if (outcome) yield outcome;
        return 'next';
      }
    }
  }

  async *#while(statement: Extract<Statement, { readonly kind: 'while' }>): Parts<Flow> {
    while (await this.#condition(statement.condition)) {
      this.signal.throwIfAborted();
      const flow = yield* this.#guarded(statement.body);
      if (flow === 'break') break;
      if (flow === 'return') return flow;
    }
    return 'next';
  }

  async *#tryCatch(statement: Extract<Statement, { readonly kind: 'tryCatch' }>): Parts<Flow> {
    const { session } = this;
    session.attempts++;
    let failure: SqlFailure;
    try {
      return yield* this.run(statement.attempt);
    } catch (error) {
      if (!(error instanceof SqlFailure)) throw error;
      // A compilation error of the same batch is not its TRY's to catch; nor are errors that end the connection.
      if (error.severity >= 20 || (isCompileError(error) && !(error instanceof Settled))) throw error;
      failure = error;
    } finally {
      session.attempts--;
    }
    const { transaction } = session;
    if (transaction && (isDeadly(failure) || session.options.xactAbort || endsTransaction(failure))) {
      transaction.doomed = true;
    }
    session.caught.push(messageOf(failure));
    try {
      return yield* this.run(statement.handler);
    } finally {
      session.caught.pop();
    }
  }

  /** Evaluates an expression that belongs to no query; it may hold queries and wait. */
  async evaluate(
    expression: Parameters<typeof compileExpression>[0],
    as?: SqlType,
  ): Promise<{ readonly value: Datum; readonly type: SqlType }> {
    const { session } = this;
    return attempt(session, this.signal, (run) => {
      const compiled = compileExpression(expression, new QueryScope(session, undefined));
      const value = compiled.evaluate(newEnv(run));
      if (!as || value === null) return { value, type: compiled.type };
      return { value: convertDatum(value, compiled.type, as, session.conversion), type: as };
    });
  }

  #condition(condition: Parameters<typeof compileCondition>[0]): Promise<boolean> {
    const { session } = this;
    return attempt(session, this.signal, (run) => {
      const holds = compileCondition(condition, new QueryScope(session, undefined));
      return holds(newEnv(run)) === true;
    });
  }

  /** A statement's result set and its end. */
  async *results(result: StatementResult): Parts<void> {
    const { session } = this;
    const { columns, rows } = result;
    if (columns && rows) {
      yield { kind: 'columns', columns };
      for (let at = 0; at < rows.length; at += ROWS_IN_A_PART) {
        this.signal.throwIfAborted();
        yield { kind: 'rows', rows: rows.slice(at, at + ROWS_IN_A_PART) };
      }
    }
    session.rowCount = result.rowCount ?? 0;
    const counted = result.rowCount !== undefined && !session.options.noCount;
    yield { kind: 'done', command: result.command, ...(counted ? { rowCount: result.rowCount! } : {}) };
  }
}

/** An error whose consequences were drawn already, on its way to the client. */
export class Settled extends SqlFailure {
  constructor(failure: SqlFailure) {
    super(failure.number, failure.message, {
      severity: failure.severity,
      state: failure.state,
      line: failure.line,
      rolledBack: failure.rolledBack,
    });
  }
}

/** RAISERROR is no error to XACT_ABORT. */
function raisedByEngine(statement: Statement): boolean {
  return statement.kind !== 'raiserror';
}

export function messageOf(failure: SqlFailure): ServerMessage {
  const { number, severity, state, message, line } = failure;
  return { number, severity, state, message, line };
}
