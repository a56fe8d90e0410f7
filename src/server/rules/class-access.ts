/** The rights of a role as sessions ask them. */
import type { ClassAccess, RowRule } from './contract.ts';
import type { FieldRights } from './field-rights.ts';

const always = (): boolean => true;
const never = (): boolean => false;

/** What administrators may, and everybody in development. */
export const EVERYTHING: ClassAccess = Object.freeze({
  role: 'administrator',
  read: 'all',
  write: 'all',
  mayInsert: true,
  mayDelete: true,
  readsAllFields: true,
  writesAllFields: true,
  mayReadField: always,
  mayWriteField: always,
  signature: 'everything',
  readSignature: 'everything',
});

/** What a user may for whom no role applies, or only one that cannot be used. */
export function noAccess(role?: string): ClassAccess {
  return {
    role,
    read: 'none',
    write: 'none',
    mayInsert: false,
    mayDelete: false,
    readsAllFields: false,
    writesAllFields: false,
    mayReadField: never,
    mayWriteField: never,
    signature: 'nothing',
    readSignature: 'nothing',
  };
}

export type RoleRights = {
  readonly role: string;
  readonly read: RowRule;
  readonly write: RowRule;
  readonly mayInsert: boolean;
  readonly mayDelete: boolean;
  readonly fields: FieldRights;
  /** Name of the class's key property: whoever sees an object knows its key. */
  readonly key: string | undefined;
};

/** Equal rights get equal signatures, whatever the roles that give them are called. */
export function classAccess({
  role,
  read,
  write,
  mayInsert,
  mayDelete,
  fields,
  key,
}: RoleRights): ClassAccess {
  if (read === 'none') return noAccess(role);
  const inserts = mayInsert && write !== 'none';
  const deletes = mayDelete && write !== 'none';
  const everythingRead = read === 'all' && fields.readsAll;
  const everything = everythingRead && write === 'all' && fields.writesAll && inserts && deletes;
  const readSignature = everythingRead
    ? EVERYTHING.readSignature
    : `read ${describe(read)} ${fields.readSignature}`;
  const writing =
    write === 'none'
      ? 'none'
      : `${describe(write)} ${fields.writeSignature} ${inserts ? 'insert' : ''} ${deletes ? 'delete' : ''}`;
  return {
    role,
    read,
    write,
    mayInsert: inserts,
    mayDelete: deletes,
    readsAllFields: fields.readsAll,
    writesAllFields: fields.writesAll && write !== 'none',
    mayReadField: fields.readsAll ? always : (field) => field === key || fields.mayRead(field),
    mayWriteField:
      write === 'none'
        ? never
        : fields.writesAll
          ? always
          : (field) => field === key || fields.mayWrite(field),
    signature: everything ? EVERYTHING.signature : `${readSignature}; write ${writing}`,
    readSignature,
  };
}

function describe(rule: RowRule): string {
  return typeof rule === 'string' ? rule : JSON.stringify(rule.canonical);
}
