/**
 * The instructions of the Adapter API as its users get them (spec/server-history.md §10.3): plain objects with
 * JavaScript values. What JSON knows is as in JSON; beyond it there are `Date`, `ArrayBuffer` and, for integers past
 * 2^53, `bigint`. Object ids, UUIDs and decimals are texts.
 */

import { decimalToBson } from '../schema/decimal128.ts';
import type { ColumnDefinition, PrimaryKeyDefinition, RealmSchema } from '../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../schema/value.ts';
import { toJs } from '../schema/value-conversion.ts';
import type { StateValue } from '../store/state/object-state.ts';
import type { MergedInstruction } from './merged-instruction.ts';

/** The primary key, or the text of the object's key in a class without one. */
export type Identity = number | bigint | string | null;

export type PropertyDescription = {
  /** A type of the Realm notation, or `list`, `set`, `dictionary`, `object`. */
  readonly type: string;
  readonly nullable: boolean;
  /** Of what, for collections and objects. */
  readonly object_type?: string;
};
export type Properties = Readonly<Record<string, PropertyDescription>>;

type OnObject = { readonly object_type: string; readonly identity: Identity };
type OnList = OnObject & { readonly property: string };

export type InstructionObject =
  /** `values` of an INSERT include the primary key. Links are the identity of their target. */
  | (OnObject & { readonly type: 'INSERT' | 'SET'; readonly values: Readonly<Record<string, unknown>> })
  | (OnObject & { readonly type: 'DELETE' })
  | { readonly type: 'CLEAR'; readonly object_type: string }
  | (OnList & {
      readonly type: 'LIST_SET' | 'LIST_INSERT';
      readonly list_index: number;
      readonly object_identity: Identity;
    })
  | (OnList & { readonly type: 'LIST_ERASE'; readonly list_index: number })
  | (OnList & { readonly type: 'LIST_CLEAR' })
  | {
      readonly type: 'ADD_TYPE';
      readonly object_type: string;
      readonly primary_key?: string;
      readonly properties: Properties;
    }
  | { readonly type: 'ADD_PROPERTIES'; readonly object_type: string; readonly properties: Properties };

/** `schema` is that of the realm; it names the key properties. */
export function toInstructionObject(merged: MergedInstruction, schema: RealmSchema): InstructionObject {
  switch (merged.type) {
    case 'INSERT':
    case 'SET': {
      const key = merged.type === 'INSERT' ? keyOf(schema.get(merged.table)?.primaryKey) : undefined;
      return { type: merged.type, ...onObject(merged), values: valuesOf(merged, key) };
    }
    case 'DELETE':
      return { type: 'DELETE', ...onObject(merged) };
    case 'CLEAR':
      return { type: 'CLEAR', object_type: merged.table };
    case 'LIST_SET':
    case 'LIST_INSERT': {
      const { type, property, index: list_index, target } = merged;
      return { type, ...onObject(merged), property, list_index, object_identity: targetIdentity(target) };
    }
    case 'LIST_ERASE':
      return {
        type: 'LIST_ERASE',
        ...onObject(merged),
        property: merged.property,
        list_index: merged.index,
      };
    case 'LIST_CLEAR':
      return { type: 'LIST_CLEAR', ...onObject(merged), property: merged.property };
    case 'ADD_TYPE': {
      const { name, columns, primaryKey } = merged.definition;
      const key = keyOf(primaryKey);
      return {
        type: 'ADD_TYPE',
        object_type: name,
        ...(key === undefined ? {} : { primary_key: key.field }),
        properties: { ...keyDescription(key), ...describe(columns) },
      };
    }
    case 'ADD_PROPERTIES':
      return { type: 'ADD_PROPERTIES', object_type: merged.table, properties: describe(merged.columns) };
  }
}

function onObject({ table, key }: { table: string; key: PrimaryKey }): OnObject {
  return { object_type: table, identity: identityOf(key) };
}

function identityOf(key: PrimaryKey): Identity {
  switch (key.type) {
    case 'null':
      return null;
    case 'int': {
      const number = Number(key.value);
      return Number.isSafeInteger(number) ? number : key.value;
    }
    case 'globalKey':
      return `{${hex(key.hi)}-${hex(key.lo)}}`;
    default:
      return key.value;
  }
}

function hex(part: bigint): string {
  return BigInt.asUintN(64, part).toString(16).padStart(4, '0');
}

function targetIdentity(target: ScalarValue): Identity {
  return target.type === 'link' ? identityOf(target.key) : null;
}

function keyOf(key: PrimaryKeyDefinition | undefined): PrimaryKeyDefinition | undefined {
  return key?.type === 'globalKey' ? undefined : key;
}

function valuesOf(
  { key, values }: { key: PrimaryKey; values: ReadonlyMap<string, StateValue> },
  keyDefinition: PrimaryKeyDefinition | undefined,
): Record<string, unknown> {
  const named: [string, unknown][] =
    keyDefinition === undefined ? [] : [[keyDefinition.field, identityOf(key)]];
  for (const [name, value] of values) named.push([name, plain(value)]);
  return Object.fromEntries(named);
}

function plain(value: StateValue): unknown {
  switch (value.type) {
    case 'list':
      return value.items.map(plain);
    case 'set':
      return [...value.items.values()].map(plain);
    case 'dictionary':
      return Object.fromEntries([...value.entries].map(([name, entry]) => [name, plain(entry)]));
    case 'object':
      return Object.fromEntries([...value.fields].map(([name, field]) => [name, plain(field)]));
    case 'link':
      return identityOf(value.key);
    case 'objectId':
    case 'uuid':
      return value.value;
    case 'decimal128':
      return decimalToBson(value).toString();
    case 'data':
      return new Uint8Array(value.value).buffer;
    default:
      return toJs(value);
  }
}

function keyDescription(key: PrimaryKeyDefinition | undefined): Properties {
  return key === undefined ? {} : { [key.field]: { type: key.type, nullable: key.nullable } };
}

function describe(columns: ReadonlyMap<string, ColumnDefinition>): Properties {
  return Object.fromEntries([...columns].map(([name, column]) => [name, description(column)]));
}

function description({ type, nullable, collection, linkTarget }: ColumnDefinition): PropertyDescription {
  if (collection !== 'single') return { type: collection, nullable, object_type: linkTarget ?? type };
  return linkTarget === undefined
    ? { type, nullable }
    : { type: 'object', nullable, object_type: linkTarget };
}
