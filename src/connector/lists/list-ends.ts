/**
 * The rows and objects of the two classes of a list, each by one text: rows by their own keys, as list tables and foreign
 * keys have them, objects by the keys of their class.
 */
import type { PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { oidOf } from '../apply/collection-plan.ts';
import type { FeedValue } from '../dialect.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';
import { withoutRepetitions } from './list-merge.ts';

/** The columns of a row's own key. */
export function ownColumns({ key }: ClassMapping): readonly string[] {
  return key.row === undefined ? key.columns : [key.row.column];
}

/** From the texts of {@link ownColumns}; undefined when one is missing. */
export function ownText(
  { key }: ClassMapping,
  texts: readonly (FeedValue | undefined)[],
): string | undefined {
  const present = texts.filter((text) => typeof text === 'string');
  if (present.length < texts.length) return undefined;
  if (present.length === 1) return present[0];
  const value = key.toRealm(present);
  return value.type === 'string' ? value.value : undefined;
}

/** The inverse of {@link ownText}. */
export function ownTexts({ key }: ClassMapping, own: string): readonly string[] {
  return key.row === undefined && key.columns.length > 1 ? key.toSql({ type: 'string', value: own }) : [own];
}

/** The text of an object. */
export function objectText(mapped: ClassMapping, key: PrimaryKey): string {
  return oidOf(mapped, key);
}

/** The inverse of {@link objectText}. */
export function objectKey({ key }: ClassMapping, text: string): PrimaryKey {
  return key.columns.length > 1 ? { type: 'string', value: text } : key.toRealm([text]);
}

/** The object of a row as far as the directory knows it. */
export function objectOfOwn(mapped: ClassMapping, own: string): string | undefined {
  if (mapped.key.row === undefined) return own;
  const key = mapped.key.row.keyOf(own);
  return key === undefined ? undefined : objectText(mapped, key);
}

/** The row of an object as far as the directory knows it. */
export function ownOfObject(mapped: ClassMapping, text: string): string | undefined {
  return mapped.key.row === undefined ? text : mapped.key.row.rowOf(objectKey(mapped, text));
}

/** What stands in the realm's list, those included whose object is gone; undefined when the owner is. */
export function listItems(
  { property }: FollowedList,
  replica: ReplicaReader,
  owner: ClassMapping,
  text: string,
): readonly StateValue[] | undefined {
  const object = replica.object(owner.className, objectKey(owner, text));
  if (object === undefined) return undefined;
  const value = object.fields.get(property);
  return value?.type === 'list' ? value.items : [];
}

/** The objects in the realm's list, as often as the database can say it: where a foreign key does, once. */
export function heldItems(
  list: FollowedList,
  replica: ReplicaReader,
  owner: ClassMapping,
  target: ClassMapping,
  text: string,
): readonly string[] | undefined {
  const items = listItems(list, replica, owner, text)?.flatMap((item) =>
    item.type === 'link' && replica.object(item.table, item.key) !== undefined
      ? [objectText(target, item.key)]
      : [],
  );
  return items === undefined || list.member === undefined ? items : withoutRepetitions(items);
}
