/** EXEC: of text, and of the system procedures that are known. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { ExecuteStatement } from '../../sql/ast.ts';
import { parseBatch } from '../../sql/parse.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { acquireApplicationLock, lockRequest, releaseApplicationLock } from './application-locks.ts';
import { attempt } from './attempt.ts';
import { Batch, type Parts } from './batch.ts';
import { settingsOf } from './options.ts';
import { parseParameters } from './parameter-text.ts';
import { rename } from './rename.ts';
import type { Session } from './session.ts';
import type { Variable } from './variables.ts';

/** An argument as a procedure sees it; `variable`: where an OUTPUT argument's value goes. */
export type Argument = {
  readonly name: string | undefined;
  readonly value: Datum;
  readonly type: SqlType;
  readonly variable?: Variable;
};

const TEXT: SqlType = { kind: 'nvarchar', length: 'max' };
const DEEPEST = 32;

export async function* executeProcedure(batch: Batch, statement: ExecuteStatement): Parts<void> {
  const { session } = batch;
  if (statement.kind === 'executeText') {
    const { value } = await batch.evaluate(statement.text, TEXT);
    yield* executeText(batch, String(value ?? ''), new Map());
    return;
  }
  const given: Argument[] = [];
  for (const one of statement.arguments) {
    if (one.value.kind === 'default') {
      throw new SqlFailure(50900, 'DEFAULT as an argument is not supported by the simulator.', {
        line: statement.line,
      });
    }
    const { value, type } = await batch.evaluate(one.value);
    const variable =
      one.output && one.value.kind === 'variable'
        ? session.variables.get(one.value.name.toLowerCase())
        : undefined;
    given.push({ name: one.name?.toLowerCase(), value, type, ...(variable ? { variable } : {}) });
  }
  const { name, schema, database } = statement.procedure;
  if (schema !== undefined && !['sys', 'dbo'].includes(schema.toLowerCase()))
    throw noProcedure(`${schema}.${name}`, statement.line);
  if (database !== undefined) session.databaseNamed(database, statement.line);
  const status = yield* callProcedure(batch, name, given, statement.line);
  if (statement.returnTo !== undefined) {
    const variable = session.variables.get(statement.returnTo.toLowerCase());
    if (!variable) {
      throw new SqlFailure(137, `Must declare the scalar variable "${statement.returnTo}".`, {
        line: statement.line,
        severity: 15,
      });
    }
    variable.value = convertDatum(BigInt(status), { kind: 'int' }, variable.type, session.conversion);
  }
}

/** Runs a procedure and returns its status. */
export async function* callProcedure(
  batch: Batch,
  name: string,
  given: readonly Argument[],
  line: number,
): Parts<number> {
  const { session, signal } = batch;
  switch (name.toLowerCase()) {
    case 'sp_executesql':
      return yield* executeSql(batch, given);
    case 'sp_rename': {
      const values = named(given, ['@objname', '@newname', '@objtype']);
      yield await attempt(session, signal, (run) => rename(run, values, line));
      return 0;
    }
    case 'sp_getapplock': {
      const order = ['@resource', '@lockmode', '@lockowner', '@locktimeout', '@dbprincipal'];
      const request = lockRequest(session, named(given, order));
      return acquireApplicationLock(session, request, signal);
    }
    case 'sp_releaseapplock':
      releaseApplicationLock(
        session,
        lockRequest(session, named(given, ['@resource', '@lockowner', '@dbprincipal'])),
      );
      return 0;
    case 'sp_set_session_context':
      setContext(session, named(given, ['@key', '@value', '@read_only']));
      return 0;
    case 'sp_addrolemember':
    case 'sp_addsrvrolemember': {
      const roleFirst = name.toLowerCase() === 'sp_addrolemember';
      const values = named(given, roleFirst ? ['@rolename', '@membername'] : ['@loginame', '@rolename']);
      const quote = (key: string) => `[${String(values.get(key)).replaceAll(']', ']]')}]`;
      const member = quote(roleFirst ? '@membername' : '@loginame');
      yield* executeText(
        batch,
        `ALTER ${roleFirst ? '' : 'SERVER '}ROLE ${quote('@rolename')} ADD MEMBER ${member}`,
        new Map(),
      );
      return 0;
    }
    case 'sp_reset_connection':
      return 0;
    default:
      throw noProcedure(name, line);
  }
}

function noProcedure(name: string, line: number): SqlFailure {
  return new SqlFailure(2812, `Could not find stored procedure '${name}'.`, { line, state: 62 });
}

/** Arguments by name, those without by their position. */
function named(given: readonly Argument[], order: readonly string[]): Map<string, Datum> {
  const values = new Map<string, Datum>();
  for (const [at, one] of given.entries()) {
    const name = one.name ?? order[at];
    if (name === undefined || !order.includes(name)) {
      throw new SqlFailure(8144, 'Procedure or function has too many arguments specified.', { state: 2 });
    }
    values.set(name, one.value);
  }
  return values;
}

/** `sp_executesql @statement, @parameters, …`: a batch with variables of its own. */
async function* executeSql(batch: Batch, given: readonly Argument[]): Parts<number> {
  const [statement, declared, ...values] = given;
  if (typeof statement?.value !== 'string') {
    throw new SqlFailure(214, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.", {
      state: 2,
    });
  }
  const parameters = typeof declared?.value === 'string' ? parseParameters(declared.value) : [];
  const variables = new Map<string, Variable>();
  const outputs: { readonly inner: Variable; readonly outer: Variable }[] = [];
  for (const [at, { name, type, output }] of parameters.entries()) {
    const key = name.toLowerCase();
    const value =
      values.find((one) => one.name === key) ?? (values[at]?.name === undefined ? values[at] : undefined);
    if (!value) {
      throw new SqlFailure(
        8178,
        `The parameterized query expects the parameter '${name}', which was not supplied.`,
      );
    }
    const converted =
      value.value === null ? null : convertDatum(value.value, value.type, type, batch.session.conversion);
    const inner: Variable = { name, type, value: converted };
    variables.set(key, inner);
    if (output && value.variable) outputs.push({ inner, outer: value.variable });
  }
  const status = yield* executeText(batch, statement.value, variables);
  for (const { inner, outer } of outputs) {
    outer.value =
      inner.value === null
        ? null
        : convertDatum(inner.value, inner.type, outer.type, batch.session.conversion);
  }
  return status;
}

/** Executes text as a batch inside: its variables are its own, and so are its temporary tables. */
export async function* executeText(
  batch: Batch,
  text: string,
  variables: Map<string, Variable>,
): Parts<number> {
  const { session, signal } = batch;
  if (batch.depth >= DEEPEST) {
    throw new SqlFailure(
      217,
      'Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).',
    );
  }
  const before = {
    variables: session.variables,
    tableVariables: session.tableVariables,
    scopeIdentity: session.scopeIdentity,
    ...settingsOf(session),
  };
  const temporary = new Set(session.temporary.keys());
  session.variables = variables;
  session.tableVariables = new Map();
  session.procedureDepth++;
  const inner = new Batch(session, signal, batch.depth + 1);
  try {
    yield* inner.run(parseBatch(text));
    return inner.status;
  } finally {
    session.procedureDepth--;
    Object.assign(session, before);
    for (const name of [...session.temporary.keys()])
      if (!temporary.has(name)) session.temporary.delete(name);
  }
}

function setContext(session: Session, values: ReadonlyMap<string, Datum>): void {
  const key = String(values.get('@key') ?? '').toLowerCase();
  if (session.context.get(key)?.readOnly) {
    throw new SqlFailure(
      15664,
      `Cannot set key '${key}' in the session context. The key has been set as read_only for this session.`,
    );
  }
  const readOnly = values.get('@read_only');
  session.context.set(key, {
    value: values.get('@value') ?? null,
    readOnly: readOnly === true || readOnly === 1n,
  });
}
