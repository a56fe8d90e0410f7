/** What makes one of the examples: tables, models, and what happens on both sides. */
import type { ObjectRealm, SQLServerOptions } from '../../src/index.ts';

export type Example = {
  readonly name: string;
  /** The script that makes and fills the tables, beside this file. */
  readonly script: string;
  readonly tables: readonly string[];
  readonly options: Pick<SQLServerOptions, 'schema' | 'compoundPrimaryKeys'>;
  /** What the database shows of it. */
  readonly query: string;
  /** What a device shows of it, a line each. */
  readonly shown: (realm: ObjectRealm) => readonly string[];
  readonly steps: readonly Step[];
};

/** Something that one side does, and the other has a moment later. */
export type Step = {
  readonly title: string;
  readonly onDevice?: (realm: ObjectRealm) => void;
  readonly inSql?: string;
};

/** The object whose property has this value; there must be one. */
export function one(realm: ObjectRealm, className: string, property: string, value: unknown): Found {
  for (const object of realm.objects<Found>(className)) if (object[property] === value) return object;
  throw new Error(`no ${className} has ${property} ${String(value)}`);
}

export type Found = Record<string, unknown>;

/** A property of a linked object; empty without a link. */
export function through(object: Found, link: string, property: string): string {
  const target = object[link];
  return typeof target === 'object' && target !== null ? String(Reflect.get(target, property)) : '';
}
