/** Logins, users, roles and permissions. */
import type { PermissionStatement, Statement } from '../ast.ts';
import { parseObjectName } from './names.ts';
import type { TokenReader } from './token-reader.ts';

const PERMISSIONS = [
  ['VIEW', 'CHANGE', 'TRACKING'],
  ['VIEW', 'DEFINITION'],
  ['VIEW', 'SERVER', 'STATE'],
  ['VIEW', 'DATABASE', 'STATE'],
  ['VIEW', 'ANY', 'DATABASE'],
  ['VIEW', 'ANY', 'DEFINITION'],
  ['CREATE', 'ANY', 'DATABASE'],
  ['CREATE', 'DATABASE'],
  ['CREATE', 'TABLE'],
  ['CREATE', 'SCHEMA'],
  ['CREATE', 'VIEW'],
  ['CREATE', 'PROCEDURE'],
  ['ALTER', 'ANY', 'DATABASE'],
  ['ALTER', 'ANY', 'SCHEMA'],
  ['ALTER', 'ANY', 'USER'],
  ['ALTER', 'ANY', 'LOGIN'],
  ['TAKE', 'OWNERSHIP'],
  ['CONNECT'],
  ['CONTROL'],
  ['ALTER'],
  ['SELECT'],
  ['INSERT'],
  ['UPDATE'],
  ['DELETE'],
  ['REFERENCES'],
  ['EXECUTE'],
  ['ALL'],
];
const LOGIN_OPTIONS = [
  'PASSWORD',
  'DEFAULT_DATABASE',
  'DEFAULT_LANGUAGE',
  'CHECK_POLICY',
  'CHECK_EXPIRATION',
] as const;

/** After `CREATE LOGIN` or `ALTER LOGIN`. */
export function parseLogin(reader: TokenReader, line: number, kind: 'createLogin' | 'alterLogin'): Statement {
  const name = reader.expectName();
  if (kind === 'alterLogin' && reader.isAnyWord(['ENABLE', 'DISABLE'])) {
    const enabled = reader.take().upper === 'ENABLE';
    return { kind, line, name, password: undefined, defaultDatabase: undefined, enabled };
  }
  reader.expectWord('WITH');
  let password: string | undefined;
  let defaultDatabase: string | undefined;
  reader.separated(() => {
    const option = reader.expectAnyWord(LOGIN_OPTIONS);
    reader.expectOperator('=');
    if (option === 'PASSWORD') password = reader.expectString();
    else if (option === 'DEFAULT_DATABASE') defaultDatabase = reader.expectName();
    else if (option === 'DEFAULT_LANGUAGE') reader.expectName();
    else reader.expectOnOff();
  });
  if (kind === 'createLogin' && password === undefined) throw reader.failure();
  return { kind, line, name, password, defaultDatabase, enabled: undefined };
}

/** After `CREATE USER` or `ALTER USER`. */
export function parseUser(reader: TokenReader, line: number, kind: 'createUser' | 'alterUser'): Statement {
  const name = reader.expectName();
  let login: string | null | undefined;
  if (kind === 'createUser' && (reader.acceptWord('FOR', 'LOGIN') || reader.acceptWord('FROM', 'LOGIN')))
    login = reader.expectName();
  else if (kind === 'createUser' && reader.acceptWord('WITHOUT', 'LOGIN')) login = null;
  let defaultSchema: string | undefined;
  if (reader.acceptWord('WITH'))
    reader.separated(() => {
      const option = reader.expectAnyWord(
        kind === 'alterUser' ? ['DEFAULT_SCHEMA', 'LOGIN'] : ['DEFAULT_SCHEMA'],
      );
      reader.expectOperator('=');
      if (option === 'LOGIN') login = reader.expectName();
      else defaultSchema = reader.expectName();
    });
  else if (kind === 'alterUser') throw reader.failure();
  return { kind, line, name, login, defaultSchema };
}

/** After `ALTER ROLE` or `ALTER SERVER ROLE`. */
export function parseAlterRole(reader: TokenReader, line: number, scope: 'database' | 'server'): Statement {
  const role = reader.expectName();
  const change = reader.expectAnyWord(['ADD', 'DROP']) === 'ADD' ? 'add' : 'drop';
  reader.expectWord('MEMBER');
  return { kind: 'alterRole', line, scope, role, change, member: reader.expectName() };
}

/** GRANT, DENY and REVOKE. */
export function parsePermission(reader: TokenReader): PermissionStatement {
  const { upper, line } = reader.take();
  const kind = upper === 'GRANT' ? 'grant' : upper === 'DENY' ? 'deny' : 'revoke';
  const optionOnly = kind === 'revoke' && reader.acceptWord('GRANT', 'OPTION', 'FOR');
  const permissions = reader.separated(() => parsePermissionName(reader));
  const securable = reader.acceptWord('ON') ? parseSecurable(reader) : ({ kind: 'current' } as const);
  if (!(kind === 'revoke' && reader.acceptWord('FROM'))) reader.expectWord('TO');
  const principals = reader.separated(() => (reader.acceptWord('PUBLIC') ? 'public' : reader.expectName()));
  if (kind !== 'grant') reader.acceptWord('CASCADE');
  const grantOption = optionOnly || (kind === 'grant' && reader.acceptWord('WITH', 'GRANT', 'OPTION'));
  return { kind, line, permissions, securable, principals, grantOption };
}

function parsePermissionName(reader: TokenReader): PermissionStatement['permissions'][number] {
  const words = PERMISSIONS.find((permission) => reader.isWord(...permission));
  if (words === undefined) throw reader.failure();
  reader.acceptWord(...words);
  if (words[0] === 'ALL') reader.acceptWord('PRIVILEGES');
  return { name: words.join(' '), columns: reader.isOperator('(') ? reader.names() : undefined };
}

function parseSecurable(reader: TokenReader): PermissionStatement['securable'] {
  if (reader.ahead(1).kind === 'operator' && reader.ahead(1).text === '::') {
    const word = reader.expectAnyWord(['OBJECT', 'SCHEMA', 'DATABASE']);
    reader.expectOperator('::');
    if (word !== 'OBJECT')
      return { kind: word === 'SCHEMA' ? 'schema' : 'database', name: reader.expectName() };
  }
  return { kind: 'object', name: parseObjectName(reader) };
}
