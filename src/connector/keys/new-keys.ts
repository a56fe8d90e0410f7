/** Keys for objects whose rows were made in SQL without one. */
import { randomUUID } from 'node:crypto';
import { ObjectId } from 'bson';
import type { PrimaryKey } from '../../schema/value.ts';

/** Makes keys of a type that nobody else makes too; undefined for types of which there is no such key. */
export function keyGenerator(type: string): (() => PrimaryKey) | undefined {
  switch (type) {
    case 'string':
      return () => ({ type: 'string', value: randomUUID() });
    case 'uuid':
      return () => ({ type: 'uuid', value: randomUUID() });
    case 'objectId':
      return () => ({ type: 'objectId', value: new ObjectId().toHexString() });
    default:
      return undefined;
  }
}
