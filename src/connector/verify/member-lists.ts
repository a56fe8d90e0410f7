/**
 * Lists whose members a foreign key tells (`lists/`), as one more kind of collection to compare: what is in them stands
 * in the rows of the other class, and the list table, where there is one, only says in which order.
 */
import type { LinkValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { SourceDialect } from '../dialect.ts';
import { objectKey, objectOfOwn, objectText } from '../lists/list-ends.ts';
import { inOrderOf, withoutRepetitions } from '../lists/list-merge.ts';
import { fetchLists } from '../lists/sql-lists.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';
import type { Side, SideRow } from './side-tables.ts';

export function memberListsOf(
  { className }: ClassMapping,
  mapping: Mapping,
  dialect: Pick<SourceDialect, 'fetchRows'>,
): Side[] {
  return mapping.followedLists.flatMap((list): Side[] => {
    const target = mapping.forClass(list.targetClass);
    if (list.ownerClass !== className || list.member === undefined || target === undefined) return [];
    const { property, definition } = list;
    return [
      {
        property,
        definition,
        table: undefined,
        fetch: (oids) => membersOf(list, oids, target, mapping, dialect),
        toRealm: (rows, held) => listOf(rows, list, target, held),
      },
    ];
  });
}

/** Each row is the text of an object. Members without a key of their class are left out: they are told by themselves. */
async function membersOf(
  list: FollowedList,
  owners: readonly string[],
  target: ClassMapping,
  mapping: Mapping,
  dialect: Pick<SourceDialect, 'fetchRows'>,
): Promise<Map<string, SideRow[]>> {
  const lists = await fetchLists(list, owners, mapping, dialect);
  return new Map(
    [...lists].map(([owner, { items }]) => [
      owner,
      items.flatMap(({ row, object = objectOfOwn(target, row) }) => (object === undefined ? [] : [[object]])),
    ]),
  );
}

function listOf(
  rows: readonly SideRow[],
  { order }: FollowedList,
  target: ClassMapping,
  held: StateValue,
): StateValue {
  const members = rows.flatMap(([object]) => object ?? []);
  const texts = order === undefined ? inOrderOf(textsOf(held, target), members) : members;
  const items = texts.map(
    (text): LinkValue => ({ type: 'link', table: target.className, key: objectKey(target, text) }),
  );
  return { type: 'list', items };
}

/** The order that the realm alone keeps. */
function textsOf(held: StateValue, target: ClassMapping): readonly string[] {
  if (held.type !== 'list') return [];
  return withoutRepetitions(
    held.items.flatMap((item) => (item.type === 'link' ? [objectText(target, item.key)] : [])),
  );
}
