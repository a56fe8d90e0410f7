/** Functions about the session, its transaction and its errors. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import { applicationResource, lockModeOf, twinOf } from '../session/application-locks.ts';
import type { Session } from '../session/session.ts';
import { LockWait } from '../storage/locks.ts';
import type { EngineFunction, EngineFunctions } from './functions.ts';

const NAME: SqlType = { kind: 'nvarchar', length: 128 };
const INT: SqlType = { kind: 'int' };
const text = (value: Datum | undefined) =>
  value === null || value === undefined ? undefined : String(value);

function of(type: SqlType, value: (session: Session) => Datum): EngineFunction {
  return { type, arity: [0, 0], evaluate: (_values, { session }) => value(session) };
}

function userName(session: Session): string {
  return session.access.user(session.currentDatabase)?.name ?? 'guest';
}

export const sessionFunctions: EngineFunctions = {
  SUSER_SNAME: { type: NAME, arity: [0, 1], evaluate: (values, { session }) => loginName(session, values) },
  SUSER_NAME: { type: NAME, arity: [0, 1], evaluate: (values, { session }) => loginName(session, values) },
  SUSER_SID: {
    type: { kind: 'varbinary', length: 85 },
    arity: [0, 1],
    evaluate: ([name], { session }) =>
      (text(name) === undefined ? session.login : session.instance.logins.get(text(name)!.toLowerCase()))
        ?.sid ?? null,
  },
  SUSER_ID: of(INT, (session) => BigInt(session.login.principalId)),
  SYSTEM_USER: of(NAME, (session) => session.login.name),
  ORIGINAL_LOGIN: of(NAME, (session) => session.login.name),
  CURRENT_USER: of(NAME, userName),
  SESSION_USER: of(NAME, userName),
  USER: of(NAME, userName),
  USER_NAME: {
    type: NAME,
    arity: [0, 1],
    evaluate: ([id], { session }) => {
      if (id === undefined) return userName(session);
      for (const one of session.currentDatabase.principals.values())
        if (BigInt(one.id) === id) return one.name;
      return null;
    },
  },
  HOST_NAME: of(NAME, (session) => session.host),
  APP_NAME: of(NAME, (session) => session.program),
  SCOPE_IDENTITY: of(
    { kind: 'decimal', precision: 38, scale: 0 },
    (session) => session.scopeIdentity ?? null,
  ),
  ROWCOUNT_BIG: of({ kind: 'bigint' }, (session) => BigInt(session.rowCount)),
  XACT_STATE: of({ kind: 'smallint' }, ({ transaction }) =>
    !transaction ? 0n : transaction.doomed ? -1n : 1n,
  ),
  CURRENT_TRANSACTION_ID: {
    type: { kind: 'bigint' },
    arity: [0, 0],
    evaluate: (_values, { transaction }) => transaction.id,
  },
  ERROR_NUMBER: of(INT, (session) => caught(session, ({ number }) => BigInt(number))),
  ERROR_MESSAGE: of({ kind: 'nvarchar', length: 4000 }, (session) =>
    caught(session, ({ message }) => message),
  ),
  ERROR_SEVERITY: of(INT, (session) => caught(session, ({ severity }) => BigInt(severity))),
  ERROR_STATE: of(INT, (session) => caught(session, ({ state }) => BigInt(state))),
  ERROR_LINE: of(INT, (session) => caught(session, ({ line }) => BigInt(line))),
  ERROR_PROCEDURE: of(NAME, () => null),
  CONTEXT_INFO: of({ kind: 'varbinary', length: 128 }, (session) => session.options.contextInfo),
  SESSION_CONTEXT: {
    type: { kind: 'nvarchar', length: 4000 },
    arity: [1, 1],
    evaluate: ([key], { session }) => {
      const value = session.context.get(text(key)?.toLowerCase() ?? '')?.value;
      return value === undefined || value === null ? null : String(value);
    },
  },
  APPLOCK_TEST: {
    type: INT,
    arity: [4, 4],
    evaluate: ([principal, resource, mode, owner], { session }) => {
      const { name, lock } = request(session, principal, resource, mode, owner);
      try {
        session.instance.locks.check(session.owner, name, lock);
        session.instance.locks.check(session.owner, twinOf(name), lock);
        return 1n;
      } catch (error) {
        if (error instanceof LockWait) return 0n;
        throw error;
      }
    },
  },
  APPLOCK_MODE: {
    type: NAME,
    arity: [3, 3],
    evaluate: ([principal, resource, owner], { session }) => {
      const { name } = request(session, principal, resource, 'Exclusive', owner);
      const held = session.instance.locks.held(session.owner, name);
      if (held === undefined) return 'NoLock';
      return { S: 'Shared', U: 'Update', X: 'Exclusive', IX: 'IntentExclusive', M: 'Exclusive' }[held];
    },
  },
};

function request(
  session: Session,
  principal: Datum | undefined,
  resource: Datum | undefined,
  mode: Datum | undefined,
  owner: Datum | undefined,
) {
  const lock = lockModeOf(text(mode) ?? '');
  if (!lock) throw new SqlFailure(1223, 'Invalid parameters for an application lock.');
  const name = applicationResource(
    session,
    text(principal) ?? 'public',
    text(resource) ?? '',
    text(owner) ?? 'Transaction',
  );
  return { name, lock };
}

function loginName(session: Session, [id]: readonly Datum[]): Datum {
  if (id === undefined) return session.login.name;
  for (const login of session.instance.logins.values()) {
    if (id instanceof Uint8Array ? Buffer.from(id).equals(login.sid) : BigInt(login.principalId) === id)
      return login.name;
  }
  return null;
}

function caught(session: Session, of_: (error: Session['caught'][number]) => Datum): Datum {
  const error = session.caught.at(-1);
  return error ? of_(error) : null;
}
