/** `@@TRANCOUNT` and the like. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import type { Env } from '../executor/environment.ts';
import type { Session } from '../session/session.ts';
import { PRODUCT_VERSION } from './server-functions.ts';

type GlobalVariable = { readonly type: SqlType; readonly value: (session: Session) => Datum };

const INT: SqlType = { kind: 'int' };
const NAME: SqlType = { kind: 'nvarchar', length: 128 };

export const VERSION_TEXT = `Microsoft SQL Server 2019 (RTM) - ${PRODUCT_VERSION} (X64) - simulated, not the product`;

const all: Readonly<Record<string, GlobalVariable>> = {
  '@@TRANCOUNT': { type: INT, value: (session) => BigInt(session.transactionCount) },
  '@@ROWCOUNT': { type: INT, value: (session) => BigInt(session.rowCount) },
  '@@ERROR': { type: INT, value: (session) => BigInt(session.lastError) },
  '@@SPID': { type: { kind: 'smallint' }, value: (session) => BigInt(session.id) },
  '@@IDENTITY': {
    type: { kind: 'decimal', precision: 38, scale: 0 },
    value: (session) => session.lastIdentity ?? null,
  },
  '@@VERSION': { type: { kind: 'nvarchar', length: 300 }, value: () => VERSION_TEXT },
  '@@SERVERNAME': { type: NAME, value: (session) => session.instance.serverName },
  '@@SERVICENAME': { type: NAME, value: () => 'MSSQLSERVER' },
  '@@MICROSOFTVERSION': { type: INT, value: () => 0x0f00114en },
  '@@LOCK_TIMEOUT': { type: INT, value: (session) => BigInt(session.options.lockTimeout) },
  '@@DBTS': {
    type: { kind: 'varbinary', length: 8 },
    value: (session) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(session.currentDatabase.rowVersion);
      return bytes;
    },
  },
  '@@LANGUAGE': { type: NAME, value: (session) => session.options.language },
  '@@DATEFIRST': { type: { kind: 'tinyint' }, value: (session) => BigInt(session.options.dateFirst) },
  '@@TEXTSIZE': { type: INT, value: (session) => BigInt(session.options.textSize) },
  '@@MAX_PRECISION': { type: { kind: 'tinyint' }, value: () => 38n },
  '@@NESTLEVEL': { type: INT, value: (session) => BigInt(session.procedureDepth) },
  '@@OPTIONS': { type: INT, value: (session) => (session.options.xactAbort ? 21880n : 5496n) },
  '@@PROCID': { type: INT, value: () => 0n },
};

export function compileGlobalVariable(session: Session, name: string, line: number): Compiled<Env> {
  const found = all[name.toUpperCase()];
  if (!found)
    throw new SqlFailure(137, `Must declare the scalar variable "${name}".`, {
      line,
      severity: 15,
      state: 2,
    });
  return {
    type: found.type,
    nullable: true,
    ...(/char$/.test(found.type.kind)
      ? { collation: { name: session.currentDatabase.collation, label: 'coercible' as const } }
      : {}),
    evaluate: () => found.value(session),
  };
}
