/** USE, SET and the other statements that change the session, and those that concern a whole database. */
import { type ResultPart, SqlFailure } from '../../contract.ts';
import type { AlterDatabase, InsertBulk, SessionStatement, Statement } from '../../sql/ast.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';
import { alterDatabase } from '../definitions/databases.ts';
import { attempt } from './attempt.ts';
import type { Batch } from './batch.ts';
import { announceBulk } from './bulk.ts';
import { fixedSwitches } from './options.ts';
import type { Session } from './session.ts';

export type SessionOutcome = ResultPart | undefined;

export async function executeSessionStatement(batch: Batch, statement: Statement): Promise<SessionOutcome> {
  const { session } = batch;
  const { line } = statement;
  switch (statement.kind) {
    case 'use':
      session.currentDatabase = session.databaseNamed(statement.database, line);
      return { kind: 'database', name: session.currentDatabase.name };
    case 'setIsolation':
      setIsolation(session, statement);
      return undefined;
    case 'setOptions':
      for (const name of statement.names) setOption(session, name, statement.on, line);
      return undefined;
    case 'setValue':
      await setValue(batch, statement);
      return undefined;
    case 'setIdentityInsert':
      setIdentityInsert(session, statement);
      return undefined;
    case 'alterDatabase': {
      const one: AlterDatabase = statement;
      const name = session.currentDatabase.name;
      await attempt(session, batch.signal, (run) => alterDatabase(one, run));
      if (one.termination === 'rollbackImmediate')
        session.instance.disconnectOthers(session, one.name ?? name);
      return { kind: 'done', command: 'other' };
    }
    case 'insertBulk': {
      const one: InsertBulk = statement;
      announceBulk(
        session,
        one,
        one.columns.map(({ name, type }) => ({ name, type: resolveTypeName(type, 'column') })),
      );
      return { kind: 'done', command: 'other' };
    }
    case 'waitfor': {
      const { value } = await batch.evaluate(statement.value, { kind: 'nvarchar', length: 30 });
      if (statement.until === 'time')
        throw new SqlFailure(50900, 'WAITFOR TIME is not supported by the simulator.', { line });
      await delay(String(value ?? '0'), batch.signal, line);
      return undefined;
    }
    case 'executeAs':
      executeAs(session, statement);
      return undefined;
    case 'revert':
      revert(session);
      return undefined;
    case 'kill': {
      const { value } = await batch.evaluate(statement.session);
      if (!session.access.isSysadmin)
        throw new SqlFailure(6102, 'User does not have permission to use the KILL statement.', {
          severity: 14,
          line,
        });
      session.instance.kill(Number(value));
      return undefined;
    }
    default:
      throw new SqlFailure(50900, `${statement.kind} is not supported by the simulator.`, { line });
  }
}

function setIsolation(
  session: Session,
  statement: Extract<SessionStatement, { readonly kind: 'setIsolation' }>,
): void {
  const { transaction } = session;
  const { level, line } = statement;
  if (transaction && level === 'snapshot' && transaction.isolation !== 'snapshot') {
    throw new SqlFailure(
      3951,
      `Transaction failed in database '${session.currentDatabase.name}' because the statement was run under snapshot isolation but the transaction did not start in snapshot isolation. You cannot change the isolation level of the transaction to snapshot after the transaction has started unless the transaction was originally started under snapshot isolation level.`,
      { line, rolledBack: true },
    );
  }
  session.options.isolation = level;
  if (transaction && transaction.isolation !== 'snapshot') transaction.isolation = level;
}

function setOption(session: Session, name: string, on: boolean, line: number): void {
  const { options } = session;
  if (name === 'NOCOUNT') options.noCount = on;
  else if (name === 'XACT_ABORT') options.xactAbort = on;
  else if (name === 'IMPLICIT_TRANSACTIONS') options.implicitTransactions = on;
  else if (fixedSwitches.has(name) && on !== options.switches.get(name)) {
    throw new SqlFailure(50900, `SET ${name} ${on ? 'ON' : 'OFF'} is not supported by the simulator.`, {
      line,
    });
  } else if (options.switches.has(name)) options.switches.set(name, on);
  else
    throw new SqlFailure(195, `'${name}' is not a recognized SET option.`, { line, severity: 15, state: 5 });
}

async function setValue(
  batch: Batch,
  statement: Extract<SessionStatement, { readonly kind: 'setValue' }>,
): Promise<void> {
  const { options, owner } = batch.session;
  const { value } = await batch.evaluate(statement.value);
  switch (statement.name) {
    case 'LOCK_TIMEOUT':
      options.lockTimeout = Number(value);
      return;
    case 'TEXTSIZE':
      options.textSize = Number(value);
      return;
    case 'ROWCOUNT':
      options.rowCount = Number(value);
      return;
    case 'LANGUAGE':
      options.language = String(value);
      return;
    case 'DATEFIRST':
      options.dateFirst = Number(value);
      return;
    case 'DATEFORMAT': {
      const format = (['mdy', 'dmy', 'ymd', 'ydm', 'myd', 'dym'] as const).find(
        (one) => one === String(value).toLowerCase(),
      );
      if (!format)
        throw new SqlFailure(2741, `SET DATEFORMAT date order '${String(value)}' is invalid.`, {
          line: statement.line,
        });
      options.dateFormat = format;
      return;
    }
    case 'DEADLOCK_PRIORITY': {
      const words: Readonly<Record<string, number>> = { low: -5, normal: 0, high: 5 };
      owner.deadlockPriority = words[String(value).toLowerCase()] ?? Number(value);
      return;
    }
    case 'CONTEXT_INFO':
      options.contextInfo = value instanceof Uint8Array ? value : null;
      return;
  }
}

function setIdentityInsert(
  session: Session,
  statement: Extract<SessionStatement, { readonly kind: 'setIdentityInsert' }>,
): void {
  const { line } = statement;
  const table = session.findTable(statement.table);
  if (!table || !session.access.has('ALTER', session.currentDatabase, table)) {
    if (!table?.temporary) {
      throw new SqlFailure(
        1088,
        `Cannot find the object "${statement.table.name}" because it does not exist or you do not have permissions.`,
        { line, state: 11 },
      );
    }
  }
  if (!table.identityColumn) {
    throw new SqlFailure(
      8106,
      `Table '${table.name}' does not have the identity property. Cannot perform SET operation.`,
      { line },
    );
  }
  if (!statement.on) {
    if (session.identityInsert === table) session.identityInsert = undefined;
    return;
  }
  const other = session.identityInsert;
  if (other && other !== table) {
    throw new SqlFailure(
      8107,
      `IDENTITY_INSERT is already ON for table '${session.currentDatabase.name}.${other.schema}.${other.name}'. Cannot perform SET operation for table '${table.name}'.`,
      { line },
    );
  }
  session.identityInsert = table;
}

function delay(text: string, signal: AbortSignal, line: number): Promise<void> {
  const parts = /^(\d+):(\d+)(?::(\d+)(?:\.(\d+))?)?$/.exec(text.trim());
  if (!parts)
    throw new SqlFailure(148, `Incorrect time syntax in time string '${text}' used with WAITFOR.`, {
      line,
      severity: 15,
    });
  const [, hours, minutes, seconds = '0', fraction = '0'] = parts;
  const milliseconds =
    (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(`0.${fraction}`)) * 1000;
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}

function executeAs(
  session: Session,
  statement: Extract<SessionStatement, { readonly kind: 'executeAs' }>,
): void {
  const { instance, currentDatabase } = session;
  const name = statement.name?.toLowerCase() ?? '';
  const login = statement.principal === 'user' ? currentDatabase.principals.get(name)?.login : name;
  const found = login === undefined ? undefined : instance.logins.get(login);
  if (!found || !session.access.isSysadmin) {
    throw new SqlFailure(
      15517,
      `Cannot execute as the database principal because the principal "${statement.name}" does not exist, this type of principal cannot be impersonated, or you do not have permission.`,
      { line: statement.line },
    );
  }
  session.impersonated.push(session.login);
  session.login = found;
}

function revert(session: Session): void {
  session.login = session.impersonated.pop() ?? session.login;
}
