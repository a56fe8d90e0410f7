/** Principals and permissions. */
import type { Permission } from '../storage/database.ts';
import { catalogView } from './view-definition.ts';

const permissionCodes: Readonly<Record<string, string>> = {
  SELECT: 'SL',
  INSERT: 'IN',
  UPDATE: 'UP',
  DELETE: 'DL',
  REFERENCES: 'RF',
  ALTER: 'AL',
  CONTROL: 'CL',
  CONNECT: 'CO',
  'VIEW CHANGE TRACKING': 'VWCT',
  'VIEW DEFINITION': 'VW',
  'CREATE TABLE': 'CRTB',
  'CREATE SCHEMA': 'CRSM',
  EXECUTE: 'EX',
};

function classOf(one: Permission): { readonly class: number; readonly class_desc: string } {
  if (one.on === 'database') return { class: 0, class_desc: 'DATABASE' };
  if (one.on === 'schema') return { class: 3, class_desc: 'SCHEMA' };
  return { class: 1, class_desc: 'OBJECT_OR_COLUMN' };
}

export const securityViews = {
  database_principals: catalogView(
    'name name, principal_id int, type letter, type_desc words, default_schema_name name, create_date datetime, modify_date datetime, owning_principal_id int, sid binary, is_fixed_role bit, authentication_type int, authentication_type_desc words',
    (session, database) =>
      [...database.principals.values()].map((one) => ({
        name: one.name,
        principal_id: one.id,
        type: one.kind === 'user' ? 'S' : 'R',
        type_desc: one.kind === 'user' ? 'SQL_USER' : 'DATABASE_ROLE',
        default_schema_name: one.defaultSchema,
        create_date: one.createDate,
        modify_date: one.createDate,
        owning_principal_id: one.kind === 'role' ? 1 : undefined,
        sid: one.login === undefined ? undefined : session.instance.logins.get(one.login)?.sid,
        is_fixed_role: one.id >= 16384,
        authentication_type: one.login === undefined ? 0 : 1,
        authentication_type_desc: one.login === undefined ? 'NONE' : 'INSTANCE',
      })),
  ),
  database_role_members: catalogView('role_principal_id int, member_principal_id int', (_session, database) =>
    [...database.principals.values()].flatMap((member) =>
      [...member.memberOf].map((role) => ({
        role_principal_id: database.principals.get(role)?.id,
        member_principal_id: member.id,
      })),
    ),
  ),
  database_permissions: catalogView(
    'class tinyint, class_desc words, major_id int, minor_id int, grantee_principal_id int, grantor_principal_id int, type code, permission_name name, state letter, state_desc words',
    (_session, database) =>
      database.permissions.flatMap((one) =>
        (one.columns ?? [0]).map((column) => ({
          ...classOf(one),
          major_id: one.id,
          minor_id: column,
          grantee_principal_id: database.principals.get(one.principal)?.id,
          grantor_principal_id: 1,
          type: (permissionCodes[one.permission] ?? '').slice(0, 4),
          permission_name: one.permission,
          state: one.state === 'deny' ? 'D' : one.grantOption ? 'W' : 'G',
          state_desc: one.state === 'deny' ? 'DENY' : one.grantOption ? 'GRANT_WITH_GRANT_OPTION' : 'GRANT',
        })),
      ),
  ),
  server_principals: catalogView(
    'name name, principal_id int, sid binary, type letter, type_desc words, is_disabled bit, default_database_name name',
    (session) =>
      [...session.instance.logins.values()]
        .filter(
          (login) =>
            session.access.hasOnServer('ALTER ANY LOGIN') ||
            login === session.login ||
            login.roles.has('sysadmin'),
        )
        .map((login) => ({
          name: login.name,
          principal_id: login.principalId,
          sid: login.sid,
          type: 'S',
          type_desc: 'SQL_LOGIN',
          is_disabled: login.disabled,
          default_database_name: login.defaultDatabase,
        })),
  ),
};
