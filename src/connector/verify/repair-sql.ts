/**
 * The object wins: writes what the objects say into the tables, through the same plans as the adapter's. Without a
 * checkpoint, so that a running adapter takes it for somebody else's change, compares it with the object, and finds
 * nothing to do.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { readField } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { type PlanStyle, planStatements } from '../apply/plan.ts';
import { redirectStatements } from '../apply/redirect.ts';
import type { ApplyStatement, Catalog, SourceDialect, SqlWriter } from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import type { ListPlan } from '../lists/list-plan.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { TableOfRealm } from '../options.ts';
import type { ClassCheck } from './class-check.ts';
import type { Difference } from './difference.ts';
import type { Observation } from './observation.ts';
import type { Repairer } from './repair.ts';
import { planMemberLists } from './repair-lists.ts';
import type { VerifiedRealm, VerifiedRealms } from './verified-realms.ts';

export type SqlRepairContext = {
  readonly dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly writer: SqlWriter;
  readonly mapping: Mapping;
  readonly catalog: Catalog;
  readonly tableOfRealm: TableOfRealm | undefined;
  /** What the configuration calls that function. */
  readonly tableOfRealmName: string;
  readonly realms: VerifiedRealms;
};

type Wish = { readonly place: number; readonly instructions: readonly MergedInstruction[] };

export class SqlRepairer implements Repairer {
  readonly #context: SqlRepairContext;

  constructor(context: SqlRepairContext) {
    this.#context = context;
  }

  async repair(
    check: ClassCheck,
    observations: readonly Observation[],
  ): Promise<readonly (string | undefined)[]> {
    const reasons: (string | undefined)[] = observations.map(() => undefined);
    const wishes = new Map<VerifiedRealm, Wish[]>();
    observations.forEach((observation, place) => {
      for (const difference of observation.differences) {
        if (difference.state !== 'standing') continue;
        const realm = this.#context.realms.get(difference.realmPath);
        const wish = this.#wish(check, observation, difference, realm);
        if (typeof wish === 'string') reasons[place] = wish;
        else if (realm !== undefined) {
          const own = wishes.get(realm);
          if (own === undefined) wishes.set(realm, [{ place, instructions: wish }]);
          else own.push({ place, instructions: wish });
        }
      }
    });
    for (const [realm, own] of wishes) await this.#fulfil(realm, own, reasons);
    return reasons;
  }

  /** The instructions of a repair, or why there is none. */
  #wish(
    check: ClassCheck,
    { key, row, path }: Observation,
    { kind, realmPath, properties, reason }: Difference,
    realm: VerifiedRealm | undefined,
  ): readonly MergedInstruction[] | string {
    const { className } = check.mapped;
    if (realm?.replica.schema.has(className) !== true) {
      return `realm ${realmPath} does not have class ${className}: to bring the rows into it run \`isthmus load\``;
    }
    if (key === undefined) return reason ?? 'no object can have the key of the row';
    if (kind === 'rowWithoutObject') {
      // A row that the realm cannot hold is no row too many.
      return reason ?? [{ type: 'DELETE', table: className, key }];
    }
    const other = path === undefined || path === realmPath ? undefined : this.#context.realms.get(path);
    if (row !== undefined && other?.replica.object(className, key) !== undefined) {
      return `the row belongs to realm ${path}, which has the object too: repair the realms instead`;
    }
    // Without properties the row could not even be read, so that the whole object takes its place.
    const changed =
      kind === 'different' && properties.length > 0
        ? new Set(properties.map(({ property }) => property))
        : undefined;
    return objectInstructions(check, key, realm, changed);
  }

  /** All at once, and one by one when the database refuses something, so that the others get through. */
  async #fulfil(
    realm: VerifiedRealm,
    wishes: readonly Wish[],
    reasons: (string | undefined)[],
  ): Promise<void> {
    const refused = await this.#write(
      realm,
      wishes.flatMap(({ instructions }) => instructions),
    );
    if (refused === undefined) return;
    for (const { place, instructions } of wishes) {
      reasons[place] = wishes.length === 1 ? refused : await this.#write(realm, instructions);
    }
  }

  /** Why the database refused; `undefined` when it did not. */
  async #write(
    realm: VerifiedRealm,
    instructions: readonly MergedInstruction[],
  ): Promise<string | undefined> {
    const { mapping, dialect } = this.#context;
    let refused: string | undefined;
    const lists = await planMemberLists(realm, instructions, mapping, dialect);
    for (const style of STYLES) {
      try {
        await this.#context.writer.apply(this.#statements(realm, instructions, style, lists), []);
        return undefined;
      } catch (error) {
        const isData =
          error instanceof DataError || (error instanceof ApplyError && error.errorClass === 'data');
        if (!isData) throw error;
        refused ??= error.message;
      }
    }
    return refused;
  }

  #statements(
    { path, replica }: VerifiedRealm,
    instructions: readonly MergedInstruction[],
    style: PlanStyle,
    lists: ListPlan | undefined,
  ): readonly ApplyStatement[] {
    const { mapping, tableOfRealm, tableOfRealmName, catalog } = this.#context;
    const planned = planStatements(instructions, mapping, replica, style, lists);
    return tableOfRealm === undefined
      ? planned
      : redirectStatements(planned, path, tableOfRealm, catalog, tableOfRealmName);
  }
}

/** As the adapter tries them: plain, rows out of each other's way, references to what goes set to null. */
const STYLES: readonly PlanStyle[] = [{}, { deletesFirst: true }, { nullifyReferences: true }];

/** The whole object, or those of its properties that are named. */
function objectInstructions(
  { mapped, sides }: ClassCheck,
  key: Parameters<VerifiedRealm['replica']['object']>[1],
  { replica }: VerifiedRealm,
  changed: ReadonlySet<string> | undefined,
): MergedInstruction[] {
  const { className, itemTables, definition } = mapped;
  const object = replica.object(className, key);
  if (object === undefined) return [];
  const values = new Map<string, StateValue>();
  const wanted = (property: string): boolean => changed?.has(property) ?? true;
  for (const property of [
    ...mapped.properties.keys(),
    ...mapped.states.keys(),
    ...mapped.itemTables.keys(),
  ]) {
    const column = definition.columns.get(property);
    if (column !== undefined && wanted(property)) values.set(property, readField(object, property, column));
  }
  const table = className;
  const instructions: MergedInstruction[] = [];
  if (changed === undefined) instructions.push({ type: 'INSERT', table, key, values });
  else if (values.size > 0) instructions.push({ type: 'SET', table, key, values });
  for (const { property } of sides) {
    if (itemTables.has(property) || !wanted(property)) continue;
    instructions.push({ type: 'LIST_CLEAR', table, key, property });
    const held = object.fields.get(property);
    if (held?.type !== 'list') continue;
    held.items.forEach((target, index) => {
      if (target.type === 'link')
        instructions.push({ type: 'LIST_INSERT', table, key, property, index, target });
    });
  }
  return instructions;
}
