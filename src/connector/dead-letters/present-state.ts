/** Objects as they are now, as instructions that bring the database there, whatever it has of them. Pure. */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { NULL, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';

/** Lists of links are kept as rows of their own, by LIST_ instructions (src/adapter/cook.ts). */
export function isLinkList(replica: ReplicaReader, table: string, property: string): boolean {
  const column = replica.schema.get(table)?.columns.get(property);
  if (column?.collection !== 'list' || column.type !== 'link') return false;
  return replica.schema.get(column.linkTarget ?? '')?.kind !== 'embedded';
}

/** The whole object without its lists of links. */
export function insertionOf(
  replica: ReplicaReader,
  table: string,
  key: PrimaryKey,
  object: ObjectState,
): MergedInstruction {
  const values = new Map<string, StateValue>();
  for (const [property, value] of object.fields) {
    if (!isLinkList(replica, table, property)) values.set(property, value);
  }
  return { type: 'INSERT', table, key, values };
}

/** One list of links, whatever the database has of it. */
export function listOf(
  table: string,
  key: PrimaryKey,
  property: string,
  object: ObjectState,
): MergedInstruction[] {
  const list = object.fields.get(property);
  const items = list?.type === 'list' ? list.items : [];
  return [
    { type: 'LIST_CLEAR', table, key, property },
    ...items.map((item, index): MergedInstruction => {
      const target = item.type === 'link' ? item : NULL;
      return { type: 'LIST_INSERT', table, key, property, index, target };
    }),
  ];
}

/** All lists of links of an object. */
export function listsOf(
  replica: ReplicaReader,
  table: string,
  key: PrimaryKey,
  object: ObjectState,
): MergedInstruction[] {
  const names = [...(replica.schema.get(table)?.columns.keys() ?? [])];
  return names
    .filter((property) => isLinkList(replica, table, property))
    .flatMap((property) => listOf(table, key, property, object));
}
