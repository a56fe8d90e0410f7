/** CREATE and ALTER DATABASE. */
import type { AlterDatabase, DatabaseChange, Statement } from '../ast.ts';
import type { TokenReader } from './token-reader.ts';

const ON_OFF_OPTIONS = [
  'ALLOW_SNAPSHOT_ISOLATION',
  'READ_COMMITTED_SNAPSHOT',
  'ANSI_NULL_DEFAULT',
  'ANSI_NULLS',
  'ANSI_PADDING',
  'ANSI_WARNINGS',
  'ARITHABORT',
  'AUTO_CLOSE',
  'AUTO_CREATE_STATISTICS',
  'AUTO_SHRINK',
  'AUTO_UPDATE_STATISTICS',
  'CONCAT_NULL_YIELDS_NULL',
  'NUMERIC_ROUNDABORT',
  'QUOTED_IDENTIFIER',
  'RECURSIVE_TRIGGERS',
  'TRUSTWORTHY',
];
const STATES = {
  ONLINE: 'online',
  OFFLINE: 'offline',
  EMERGENCY: 'emergency',
  READ_ONLY: 'readOnly',
  READ_WRITE: 'readWrite',
  SINGLE_USER: 'singleUser',
  MULTI_USER: 'multiUser',
  RESTRICTED_USER: 'restrictedUser',
} as const;
const STATE_WORDS = Object.keys(STATES) as readonly (keyof typeof STATES)[];
const RECOVERY_MODELS = { FULL: 'full', SIMPLE: 'simple', BULK_LOGGED: 'bulkLogged' } as const;
const UNITS = { DAYS: 'days', HOURS: 'hours', MINUTES: 'minutes' } as const;

/** After `CREATE DATABASE`. */
export function parseCreateDatabase(reader: TokenReader, line: number): Statement {
  const name = reader.expectName();
  const collation = reader.acceptWord('COLLATE') ? reader.expectName() : undefined;
  return { kind: 'createDatabase', line, name, collation };
}

/** After `ALTER DATABASE`. */
export function parseAlterDatabase(reader: TokenReader, line: number): AlterDatabase {
  const name = reader.acceptWord('CURRENT') ? undefined : reader.expectName();
  if (reader.acceptWord('COLLATE'))
    return plain(line, name, { kind: 'collate', collation: reader.expectName() });
  if (reader.acceptWord('MODIFY')) {
    reader.expectWord('NAME');
    reader.expectOperator('=');
    return plain(line, name, { kind: 'modifyName', name: reader.expectName() });
  }
  reader.expectWord('SET');
  const changes = reader.separated(() => parseChange(reader));
  return { kind: 'alterDatabase', line, name, changes, termination: parseTermination(reader) };
}

function plain(line: number, name: string | undefined, change: DatabaseChange): AlterDatabase {
  return { kind: 'alterDatabase', line, name, changes: [change], termination: undefined };
}

function parseTermination(reader: TokenReader): AlterDatabase['termination'] {
  if (!reader.acceptWord('WITH')) return undefined;
  if (reader.acceptWord('NO_WAIT')) return 'noWait';
  reader.expectWord('ROLLBACK', 'IMMEDIATE');
  return 'rollbackImmediate';
}

function parseChange(reader: TokenReader): DatabaseChange {
  if (reader.acceptWord('CHANGE_TRACKING')) return parseChangeTracking(reader);
  if (reader.acceptWord('COMPATIBILITY_LEVEL')) {
    reader.expectOperator('=');
    return { kind: 'compatibilityLevel', level: Number(reader.expectInteger()) };
  }
  if (reader.acceptWord('RECOVERY'))
    return {
      kind: 'recovery',
      model: RECOVERY_MODELS[reader.expectAnyWord(['FULL', 'SIMPLE', 'BULK_LOGGED'])],
    };
  if (reader.isAnyWord(STATE_WORDS))
    return { kind: 'state', state: STATES[reader.expectAnyWord(STATE_WORDS)] };
  const name = reader.expectAnyWord(ON_OFF_OPTIONS);
  return { kind: 'option', name, on: reader.expectOnOff() };
}

/** `= ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)`, `= OFF`, or the options alone. */
function parseChangeTracking(reader: TokenReader): DatabaseChange {
  const on = reader.acceptOperator('=') ? reader.expectOnOff() : undefined;
  if (on === false || (on === true && !reader.isOperator('(')))
    return { kind: 'changeTracking', on, retention: undefined, autoCleanup: undefined };
  let retention: Extract<DatabaseChange, { readonly kind: 'changeTracking' }>['retention'];
  let autoCleanup: boolean | undefined;
  reader.list(() => {
    const option = reader.expectAnyWord(['CHANGE_RETENTION', 'AUTO_CLEANUP']);
    reader.expectOperator('=');
    if (option === 'AUTO_CLEANUP') autoCleanup = reader.expectOnOff();
    else {
      const period = Number(reader.expectInteger());
      retention = { period, unit: UNITS[reader.expectAnyWord(['DAYS', 'HOURS', 'MINUTES'])] };
    }
  });
  return { kind: 'changeTracking', on, retention, autoCleanup };
}
