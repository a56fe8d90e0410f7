/**
 * The pass over everything: every row of one snapshot against its object, then every object for its row. In batches on
 * both sides, so that memory does not grow with the table. What differs is only suspected: the two sides are not seen
 * at one moment, and changes are under way.
 */
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import type { SnapshotReader, SourceDialect } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { itemGroups } from '../load/item-groups.ts';
import type { ClassCheck } from './class-check.ts';
import { sameSide } from './row-comparison.ts';
import { filledSides, inOrder, keyOfSide, type Side, type SideTable, sideKeyOf } from './side-tables.ts';
import type { Suspects } from './suspects.ts';
import type { VerifiedRealm, VerifiedRealms } from './verified-realms.ts';

/** Objects looked up in the database at a time. */
const OBJECT_BATCH = 5_000;
/** The same where their collections are read along. */
const OBJECT_BATCH_WITH_COLLECTIONS = 500;

export type FirstPassContext = {
  readonly dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly snapshot: SnapshotReader;
  readonly realms: VerifiedRealms;
  readonly suspects: Suspects;
  readonly onRows: (rows: number) => void;
  readonly signal: AbortSignal;
};

export type FirstPassCounts = {
  readonly rows: number;
  /** Rows that belong to no realm that is compared. */
  readonly rowsOutside: number;
  readonly objects: number;
};

export async function firstPass(check: ClassCheck, context: FirstPassContext): Promise<FirstPassCounts> {
  const { rows, rowsOutside } = await checkRows(check, context);
  // With many realms it cannot be told from a row of a collection which one has the object: there they come with it.
  if (!check.hasManyRealms)
    for (const side of check.sides)
      if (side.table !== undefined) await checkSideRows(check, side, side.table, context);
  let objects = 0;
  for (const realm of context.realms.all()) objects += await checkObjects(check, realm, context);
  return { rows, rowsOutside, objects };
}

async function checkRows(
  check: ClassCheck,
  { snapshot, suspects, onRows, signal }: FirstPassContext,
): Promise<{ rows: number; rowsOutside: number }> {
  let rows = 0;
  let rowsOutside = 0;
  const byRow = check.rows;
  for await (const batch of snapshot.rows(check.mapped.table, byRow.columnNames, undefined)) {
    signal.throwIfAborted();
    suspects.together(() => {
      for (const row of batch) {
        const suspect = check.suspectRow(row);
        if (suspect === 'agrees') continue;
        if (suspect === 'outside') rowsOutside += 1;
        else suspects.add(check.mapped.className, suspect);
      }
    });
    rows += batch.length;
    onRows(rows);
  }
  return { rows, rowsOutside };
}

/** Each collection of a side table in turn against those of its objects. */
async function checkSideRows(
  check: ClassCheck,
  side: Side,
  table: SideTable,
  { snapshot, suspects, realms, signal }: FirstPassContext,
): Promise<void> {
  const { mapped } = check;
  const { className } = mapped;
  for await (const { oid, rows } of itemGroups(snapshot, table.table, table.columns, signal)) {
    const key = readable(() => keyOfSide(mapped, oid));
    if (key === undefined) continue;
    inOrder(table, rows);
    for (const { replica } of realms.all()) {
      const object = replica.object(className, key);
      if (object === undefined) continue;
      const agrees = readable(() => sameSide(side, rows, object, replica)) === true;
      if (!agrees) suspects.add(className, { id: keyToken(key), keyTexts: check.keyTextsOf(key) });
    }
  }
}

/** `undefined` for what no realm value can hold; looking again tells why. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

type StoredObject = { readonly key: PrimaryKey; readonly state: ObjectState };

async function checkObjects(
  check: ClassCheck,
  realm: VerifiedRealm,
  context: FirstPassContext,
): Promise<number> {
  let objects = 0;
  let batch: StoredObject[] = [];
  const withCollections = check.sides.some(({ table }) => check.hasManyRealms || table === undefined);
  const size = withCollections ? OBJECT_BATCH_WITH_COLLECTIONS : OBJECT_BATCH;
  for (const object of realm.replica.objects(check.mapped.className)) {
    batch.push(object);
    objects += 1;
    if (batch.length < size) continue;
    await checkBatch(check, realm, batch, context);
    batch = [];
  }
  if (batch.length > 0) await checkBatch(check, realm, batch, context);
  return objects;
}

async function checkBatch(
  check: ClassCheck,
  realm: VerifiedRealm,
  batch: readonly StoredObject[],
  { dialect, suspects, signal }: FirstPassContext,
): Promise<void> {
  signal.throwIfAborted();
  const { mapped } = check;
  const texts = batch.map(({ key }) => check.keyTextsOf(key));
  const inItsRealm = await check.keysInRealm(
    realm.path,
    texts.flatMap((text) => (text === undefined ? [] : [text])),
  );
  const apart = new Set<PrimaryKey>();
  for (const side of check.sides) {
    const keys = batch.filter((_, index) => texts[index] !== undefined);
    const found =
      check.hasManyRealms || side.table === undefined
        ? await differingCollections(check, side, realm, keys)
        : await missingCollections(check, side.property, side.table, keys, dialect);
    for (const key of found) apart.add(key);
  }
  suspects.together(() => {
    batch.forEach(({ key }, index) => {
      const keyTexts = texts[index];
      if (keyTexts !== undefined && inItsRealm.has(keyTexts.join('\0')) && !apart.has(key)) return;
      suspects.add(mapped.className, { id: keyToken(key), keyTexts, realms: [realm.path] });
    });
  });
}

type Rows = Pick<SourceDialect, 'fetchRows'>;

/** Objects that hold items of which there is no row; the others are compared from the rows' side. */
async function missingCollections(
  { mapped }: ClassCheck,
  property: string,
  table: SideTable,
  objects: readonly StoredObject[],
  dialect: Rows,
): Promise<PrimaryKey[]> {
  const held = objects.filter(({ state }) => hasItems(state, property));
  const oids = held.map(({ key }) => sideKeyOf(mapped, key));
  const filled = await filledSides(
    dialect,
    table,
    oids.filter((oid) => oid !== undefined),
  );
  return held.flatMap(({ key }, index) => (filled.has(oids[index] ?? '') ? [] : [key]));
}

/** Objects whose items are not those of the rows. */
async function differingCollections(
  { mapped }: ClassCheck,
  side: Side,
  { replica }: VerifiedRealm,
  objects: readonly StoredObject[],
): Promise<PrimaryKey[]> {
  const oids = objects.map(({ key }) => sideKeyOf(mapped, key));
  const rows = await side.fetch(oids.filter((oid) => oid !== undefined));
  return objects.flatMap(({ key, state }, index) => {
    const own = rows.get(oids[index] ?? '') ?? [];
    return readable(() => sameSide(side, own, state, replica)) === true ? [] : [key];
  });
}

function hasItems(state: ObjectState, property: string): boolean {
  const value = state.fields.get(property);
  switch (value?.type) {
    case 'list':
    case 'set':
      return (value.type === 'list' ? value.items.length : value.items.size) > 0;
    case 'dictionary':
      return value.entries.size > 0;
    default:
      return false;
  }
}
