/** The procedures that only drivers call: to execute a text with parameters, at once or prepared under a number. */
import { type Parameter, type ResultPart, SqlFailure, type SqlSession } from '../contract.ts';
import { declaredNames } from './parameter-names.ts';
import type { ProcedureCall } from './procedure-call.ts';

type Prepared = { readonly statement: string; readonly names: readonly string[] };

export class PreparedStatements {
  readonly #statements = new Map<bigint, Prepared>();
  #next = 1n;

  /** Answers a procedure call; procedures that are none of these are the engine's. */
  async *call(
    session: SqlSession,
    { procedure, parameters }: ProcedureCall,
    signal: AbortSignal,
  ): AsyncGenerator<ResultPart, void, undefined> {
    const [first, second, third] = parameters;
    switch (procedure.toLowerCase()) {
      case 'sp_executesql':
        yield* run(session, prepared(first, second), parameters.slice(2), signal);
        return;
      case 'sp_prepare':
        yield this.#prepare(first, prepared(third, second));
        return;
      case 'sp_prepexec': {
        const statement = prepared(third, second);
        yield* run(session, statement, parameters.slice(3), signal);
        yield this.#prepare(first, statement);
        return;
      }
      case 'sp_execute':
        yield* run(session, this.#find(first), parameters.slice(1), signal);
        return;
      case 'sp_unprepare':
        this.#find(first);
        if (typeof first?.value === 'bigint') this.#statements.delete(first.value);
        return;
      default:
        yield* session.call(procedure, parameters, signal);
    }
  }

  forgetAll(): void {
    this.#statements.clear();
  }

  #prepare(handle: Parameter | undefined, statement: Prepared): ResultPart {
    const number = this.#next++;
    this.#statements.set(number, statement);
    return { kind: 'output', name: handle?.name ?? '', type: { kind: 'int' }, value: number };
  }

  #find(handle: Parameter | undefined): Prepared {
    const number = handle?.value;
    const found = typeof number === 'bigint' ? this.#statements.get(number) : undefined;
    if (found !== undefined) return found;
    throw new SqlFailure(8179, `Could not find prepared statement with handle ${String(number)}.`);
  }
}

function prepared(statement: Parameter | undefined, declaration: Parameter | undefined): Prepared {
  if (typeof statement?.value !== 'string') {
    throw new SqlFailure(214, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.");
  }
  const names = typeof declaration?.value === 'string' ? declaredNames(declaration.value) : [];
  return { statement: statement.value, names };
}

function run(
  session: SqlSession,
  { statement, names }: Prepared,
  parameters: readonly Parameter[],
  signal: AbortSignal,
): AsyncIterable<ResultPart> {
  const named = parameters.map((parameter, index) =>
    parameter.name === '' ? { ...parameter, name: names[index] ?? '' } : parameter,
  );
  const given = new Set(named.map(({ name }) => name.toLowerCase()));
  for (const name of names) {
    if (!given.has(name.toLowerCase())) {
      const shown = `(${names.join(',')})${statement}`.slice(0, 128);
      throw new SqlFailure(
        8178,
        `The parameterized query '${shown}' expects the parameter '${name}', which was not supplied.`,
      );
    }
  }
  return session.execute(statement, named, signal, 'inner');
}
