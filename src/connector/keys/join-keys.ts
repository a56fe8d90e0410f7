/**
 * The keys of join tables between rows that the database numbers (reference, "Many to Many Relationships"): the numbers
 * of the rows that they join, as in `2-3`. A device that has just made one of these objects has no number for it yet.
 * It makes the join object's key of their own keys instead; the database is told of the row by these, and when it shows
 * the row, the object comes back under the numbers.
 */
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { NetEffect, ObjectEffect } from '../apply/net-effect.ts';
import type { KeyLookup } from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import type { ClassMapping, KeyMapping, Mapping } from '../mapping/class-mapping.ts';

const SEPARATOR = '-';

/** A column of the key, which holds the key of a row of another class. */
type JoinPart = {
  readonly property: string;
  readonly target: KeyMapping;
  readonly targetClass: string;
  /** Set where the database numbers the rows of that class. */
  readonly lookup: KeyLookup | undefined;
};

/** How a row is told apart where the key of its object does not say it. */
export type JoinIdentity = {
  readonly texts: readonly string[];
  /** By column name; for texts that are keys of objects. */
  readonly lookups: ReadonlyMap<string, KeyLookup>;
  /** The realm has the object under the numbers, too, so that the row is nothing new. */
  readonly isKnown: boolean;
};

/** In the order of the key's columns; undefined for every other class. */
export function joinParts(mapped: ClassMapping, mapping: Mapping): readonly JoinPart[] | undefined {
  const { columns } = mapped.key;
  if (columns.length < 2) return undefined;
  const parts = columns.flatMap((name): JoinPart[] => {
    const held = [...mapped.properties.values()].find(({ column }) => column.name === name);
    const target = mapping.forClass(held?.definition.linkTarget ?? '');
    return held === undefined || target === undefined
      ? []
      : [
          {
            property: held.property,
            target: target.key,
            targetClass: target.className,
            lookup: held.lookup,
          },
        ];
  });
  const isJoin = parts.length === columns.length && parts.some(({ lookup }) => lookup !== undefined);
  return isJoin ? parts : undefined;
}

/** The key that an object of the row has, or had, before it is known by the numbers; undefined where none can be told. */
export function provisionalKey(parts: readonly JoinPart[], row: readonly string[]): PrimaryKey | undefined {
  const keys = parts.map(({ target, lookup }, part) => {
    const text = row[part] ?? '';
    const key = lookup === undefined ? target.toRealm([text]) : target.row?.keyOf(text);
    return key === undefined ? undefined : target.toSql(key)[0];
  });
  return keys.includes(undefined) ? undefined : { type: 'string', value: keys.join(SEPARATOR) };
}

/**
 * Checks that keys and links of join objects say the same, and finds the rows of those whose keys are not made of
 * numbers. Throws `DataError`, and `ApplyError` for a row that the feed has yet to show.
 */
export function identifyJoins(effect: NetEffect, mapping: Mapping, replica: ReplicaReader): void {
  const partsOf = new Map<string, readonly JoinPart[] | undefined>();
  for (const object of effect.objects.values()) {
    const mapped = mapping.forClass(object.table);
    if (mapped === undefined) continue;
    if (!partsOf.has(object.table)) partsOf.set(object.table, joinParts(mapped, mapping));
    const parts = partsOf.get(object.table);
    if (parts !== undefined) object.identity = identityOf(object, mapped, parts, replica);
  }
}

/** Undefined when the key of the object tells the row. */
function identityOf(
  object: ObjectEffect,
  { key, className }: ClassMapping,
  parts: readonly JoinPart[],
  replica: ReplicaReader,
): JoinIdentity | undefined {
  const numbers = textsOrNone(key, object.key);
  if (numbers !== undefined) {
    requireAgreement(object, className, parts, numbers, replica);
    return undefined;
  }
  const isNew = object.operation === 'insert' || object.operation === 'replace';
  const text = object.key.type === 'string' ? object.key.value : keyToken(object.key);
  if (!isNew) return { texts: knownRow(className, text, parts), lookups: new Map(), isKnown: false };
  const links = parts.map(({ property }) => linkText(object.values.get(property), parts, property));
  if (links.every((link) => link !== undefined) && links.join(SEPARATOR) === text) {
    const lookups = parts.flatMap(({ lookup }, part): [string, KeyLookup][] =>
      lookup === undefined ? [] : [[key.columns[part] ?? '', lookup]],
    );
    const row = rowOf(text, parts);
    const isKnown = row !== undefined && replica.object(className, key.toRealm(row)) !== undefined;
    return { texts: links, lookups: new Map(lookups), isKnown };
  }
  throw new DataError(`${className} ${text}: the key does not say which rows it joins`, {
    remedy: `create it with ${wanted(parts, object)}`,
    object: { class: className, key: text },
  });
}

/** Links may be left out, and are filled in from the key. */
function requireAgreement(
  { table, operation, key, values }: ObjectEffect,
  className: string,
  parts: readonly JoinPart[],
  numbers: readonly string[],
  replica: ReplicaReader,
): void {
  parts.forEach(({ property, target, targetClass, lookup }, part) => {
    const value = values.get(property);
    if (value === undefined) return;
    const number = numbers[part] ?? '';
    const said = lookup === undefined ? target.toRealm([number]) : target.row?.keyOf(number);
    if (value.type === 'link' && (said === undefined || keyToken(said) === keyToken(value.key))) return;
    const text = key.type === 'string' ? key.value : keyToken(key);
    const isNew = operation === 'insert' || operation === 'replace';
    const isGone = said === undefined || replica.object(targetClass, said) === undefined;
    if (!isNew && value.type === 'null' && isGone) {
      values.delete(property); // it went with what it led to: what becomes of the row is between that and the database
      return;
    }
    throw new DataError(
      isNew
        ? `${className} ${text}: the key says that ${property} is ${told(said, number)}, but the link says ${told(linkKey(value))}`
        : `${className} ${text}: ${property} is a part of the key and cannot be changed`,
      {
        remedy: isNew
          ? `create it with ${wanted(parts, { values })}`
          : 'delete the object and create another one with the key of the new pair',
        object: { class: table, key: text },
      },
    );
  });
}

/** Of an object that is known by the keys of what it joins, the row: every hyphen may be the one between two of them. */
function knownRow(className: string, text: string, parts: readonly JoinPart[]): readonly string[] {
  const row = rowOf(text, parts);
  if (row !== undefined) return row;
  throw new ApplyError(`${className} ${text}: the rows that it joins have no numbers yet that are known`, {
    errorClass: 'data',
    violation: 'reference',
    remedy: 'wait until both have come back from the database, or delete the object',
  });
}

function rowOf(text: string, [first, ...others]: readonly JoinPart[]): string[] | undefined {
  if (first === undefined) return undefined;
  if (others.length === 0) {
    const own = ownKey(first, text);
    return own === undefined ? undefined : [own];
  }
  for (let at = text.indexOf(SEPARATOR, 1); at >= 0; at = text.indexOf(SEPARATOR, at + 1)) {
    const own = ownKey(first, text.slice(0, at));
    const rest = own === undefined ? undefined : rowOf(text.slice(at + 1), others);
    if (own !== undefined && rest !== undefined) return [own, ...rest];
  }
  return undefined;
}

function ownKey({ target, lookup }: JoinPart, text: string): string | undefined {
  if (lookup === undefined) return text;
  try {
    return target.row?.rowOf(target.toRealm([text]));
  } catch (error) {
    if (error instanceof DataError) return undefined; // no key of that class
    throw error;
  }
}

/** The keys that the object may have, in words. */
function wanted(parts: readonly JoinPart[], { values }: Pick<ObjectEffect, 'values'>): string {
  const keys = parts.map(({ property }) => linkKey(values.get(property)));
  const numbers = parts.map(({ target, lookup }, part) => {
    const key = keys[part];
    return key === undefined
      ? undefined
      : lookup === undefined
        ? target.toSql(key)[0]
        : target.row?.rowOf(key);
  });
  if (!numbers.includes(undefined)) return `the key ${numbers.join(SEPARATOR)}`;
  const own = parts.map(({ property }) => linkText(values.get(property), parts, property));
  if (!own.includes(undefined))
    return `the key ${own.join(SEPARATOR)}, made of the keys of what it joins, as long as the database has not numbered both`;
  const form = parts.map(({ targetClass }) => `<number of the ${targetClass}>`).join(SEPARATOR);
  return `links to what it joins and a key of the form ${form}`;
}

function linkKey(value: StateValue | undefined): PrimaryKey | undefined {
  return value?.type === 'link' ? value.key : undefined;
}

function linkText(
  value: StateValue | undefined,
  parts: readonly JoinPart[],
  property: string,
): string | undefined {
  const key = linkKey(value);
  const target = parts.find((part) => part.property === property)?.target;
  return key === undefined ? undefined : target?.toSql(key)[0];
}

function told(key: PrimaryKey | undefined, otherwise = 'nothing'): string {
  return key === undefined ? otherwise : keyToken(key).slice(1);
}

function textsOrNone(key: KeyMapping, value: PrimaryKey): readonly string[] | undefined {
  try {
    return key.toSql(value);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
