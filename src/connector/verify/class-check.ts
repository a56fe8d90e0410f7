/**
 * One class and its table: which rows and objects do not go together, first in a pass over everything, then, for what
 * differed, by looking at single keys again.
 */
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import { readField } from '../../store/state/default-value.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import type { SourceDialect, SqlText } from '../dialect.ts';
import { tableId } from '../dialect.ts';
import { putsAside } from '../error-policy.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { ConnectorOptions } from '../options.ts';
import type { Difference, DifferenceKind, DifferenceState } from './difference.ts';
import {
  fingerprintOf,
  type Holder,
  hasKey,
  identityOf,
  type Observation,
  WITHOUT_KEY,
} from './observation.ts';
import { RowComparison, sameSide, sideText } from './row-comparison.ts';
import { type Side, type SideRow, sideKeyOf, sidesOf } from './side-tables.ts';
import type { Suspect, Suspects } from './suspects.ts';
import { keyText } from './value-text.ts';
import type { VerifiedRealm, VerifiedRealms } from './verified-realms.ts';

export type ClassCheckContext = {
  readonly dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly mapping: Mapping;
  readonly realms: VerifiedRealms;
  readonly options: ConnectorOptions;
  readonly suspects: Suspects;
  /** Why the adapter has stopped with a class, by class name. */
  readonly stopped: ReadonlyMap<string, string>;
};

export class ClassCheck {
  readonly mapped: ClassMapping;
  readonly rows: RowComparison;
  readonly table: string;
  readonly sides: readonly Side[];
  readonly #context: ClassCheckContext;

  constructor(mapped: ClassMapping, context: ClassCheckContext) {
    this.mapped = mapped;
    this.#context = context;
    this.table = tableId(mapped.table.table);
    this.rows = new RowComparison(mapped, {
      allColumns: context.options.fixedRealmPath === undefined,
      secrets: context.options.secretProperties,
    });
    this.sides = sidesOf(mapped, context.mapping, context.dialect);
  }

  /** The realm that a row belongs to, by its path; `undefined` for none. */
  pathOf(row: readonly SqlText[]): string | undefined {
    const { fixedRealmPath, realmPathOfRow } = this.#context.options;
    if (fixedRealmPath !== undefined) return fixedRealmPath;
    return realmPathOfRow(this.mapped.table.table.name, this.rows.plan.properties(row)) ?? undefined;
  }

  /**
   * A row of the first pass; its lists come later. `outside` are rows of no compared realm: objects that are there all
   * the same are found from their side.
   */
  suspectRow(row: readonly SqlText[]): Suspect | 'agrees' | 'outside' {
    const { plan, mapped } = this.rows;
    const own = this.#ownKeyWithoutKey(row);
    if (own !== undefined) return { id: `${WITHOUT_KEY}${own}`, keyTexts: undefined };
    const keyTexts = plan.keyTexts(row);
    let key: PrimaryKey;
    try {
      key = mapped.key.toRealm(keyTexts);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return { id: `!${JSON.stringify(keyTexts)}`, keyTexts };
    }
    const path = this.pathOf(row);
    if (path === undefined || this.isLeftOut(path)) return 'outside';
    const realm = this.#context.realms.get(path);
    const object = realm?.replica.object(mapped.className, key);
    if (realm !== undefined && object !== undefined && this.#agrees(key, row, object, realm)) return 'agrees';
    return { id: keyToken(key), keyTexts };
  }

  /** Of these keys, those of rows that belong to a realm, as their texts joined by NUL. */
  async keysInRealm(path: string, keys: readonly (readonly string[])[]): Promise<Set<string>> {
    const fixed = this.#context.options.fixedRealmPath !== undefined;
    const columns = fixed ? this.mapped.key.columns : this.rows.columnNames;
    const rows = await this.#context.dialect.fetchRows(
      this.mapped.table,
      columns,
      keys,
      this.mapped.key.columns,
    );
    const own = fixed ? rows : rows.filter((row) => this.pathOf(row) === path);
    return new Set(own.map((row) => row.slice(0, this.mapped.key.columns.length).join('\0')));
  }

  get hasManyRealms(): boolean {
    return this.#context.options.fixedRealmPath === undefined;
  }

  isLeftOut(path: string): boolean {
    return this.#context.realms.leftOut.has(path);
  }

  /** The key that the database made for a row that the class cannot know yet; undefined for every other row. */
  #ownKeyWithoutKey(row: readonly SqlText[]): string | undefined {
    const { key } = this.mapped;
    if (key.row === undefined) return undefined;
    const [column = ''] = key.columns;
    if (row[this.rows.columnNames.indexOf(column)] !== null) return undefined;
    return row[this.rows.columnNames.indexOf(key.row.column)] ?? undefined;
  }

  #agrees(
    key: PrimaryKey,
    row: readonly SqlText[],
    object: ObjectState,
    { replica }: VerifiedRealm,
  ): boolean {
    try {
      return this.rows.differences(key, row, object, replica).length === 0;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return false;
    }
  }

  /** The key texts of the row that an object must have; `undefined` when no row can have its key. */
  keyTextsOf(key: PrimaryKey): readonly string[] | undefined {
    try {
      return this.mapped.key.toSql(key);
    } catch (error) {
      if (error instanceof DataError) return undefined;
      throw error;
    }
  }

  /** Looks at both sides of some keys anew. */
  async observe(all: readonly Suspect[]): Promise<Observation[]> {
    const [suspects, numbered] = [all.filter(hasKey), all.filter((suspect) => !hasKey(suspect))];
    const observations = new Map<string, Observation>();
    for (const observation of await this.#observeKeyed(suspects))
      observations.set(observation.suspect.id, observation);
    for (const observation of await this.#observeNumbered(numbered))
      observations.set(observation.suspect.id, observation);
    return all.flatMap(({ id }) => observations.get(id) ?? []);
  }

  /** Rows without a key of the class: the adapter gives them one when it runs. */
  async #observeNumbered(suspects: readonly Suspect[]): Promise<Observation[]> {
    const column = this.mapped.key.row?.column;
    if (column === undefined || suspects.length === 0) return [];
    const keys = suspects.map(({ id }) => [id.slice(WITHOUT_KEY.length)]);
    const { columnNames } = this.rows;
    const place = columnNames.indexOf(column);
    const rows = new Map(
      (await this.#context.dialect.fetchRows(this.mapped.table, columnNames, keys, [column])).map((row) => [
        row[place],
        row,
      ]),
    );
    return suspects.map((suspect): Observation => {
      const own = suspect.id.slice(WITHOUT_KEY.length);
      const row = rows.get(own);
      const seen = {
        suspect,
        key: undefined,
        row,
        sides: new Map(),
        fingerprint: fingerprintOf(row, new Map(), []),
      };
      if (row === undefined || this.#ownKeyWithoutKey(row) === undefined) {
        // It has one now, or is gone; as an object it is looked at like every other.
        const found = row === undefined ? 'outside' : this.suspectRow(row);
        if (typeof found !== 'string') this.#context.suspects.add(this.mapped.className, found);
        return { ...seen, path: undefined, differences: [] };
      }
      const path = this.pathOf(row);
      if (path === undefined || this.isLeftOut(path)) return { ...seen, path, differences: [] };
      const difference = this.#difference('rowWithoutObject', own, path, {
        reason: `the row has no ${this.mapped.key.columns.join(', ')} yet: the adapter and \`isthmus load\` give it one`,
      });
      return { ...seen, path, differences: [difference] };
    });
  }

  async #observeKeyed(suspects: readonly Suspect[]): Promise<Observation[]> {
    const { dialect } = this.#context;
    const keys = suspects.flatMap(({ keyTexts }) => (keyTexts === undefined ? [] : [keyTexts]));
    const rows = new Map<string, readonly SqlText[]>();
    for (const row of await dialect.fetchRows(
      this.mapped.table,
      this.rows.columnNames,
      keys,
      this.mapped.key.columns,
    )) {
      rows.set(this.rows.plan.keyTexts(row).join('\0'), row);
    }
    const identities = suspects.map((suspect) => identityOf(suspect, this.mapped));
    const oids = identities.map((key) => this.#oidOf(key));
    const known = [...new Set(oids.filter((oid) => oid !== undefined))];
    const sides = new Map<string, Map<string, SideRow[]>>();
    for (const side of this.sides) sides.set(side.property, await side.fetch(known));
    return suspects.map((suspect, index) => {
      const row = rows.get(suspect.keyTexts?.join('\0') ?? '');
      const oid = oids[index] ?? '';
      const own = new Map([...sides].map(([property, all]) => [property, all.get(oid) ?? []]));
      return this.#observation(suspect, identities[index], row, own);
    });
  }

  #oidOf(key: PrimaryKey | undefined): string | undefined {
    if (key === undefined || this.sides.length === 0 || this.keyTextsOf(key) === undefined) return undefined;
    return sideKeyOf(this.mapped, key);
  }

  #observation(
    suspect: Suspect,
    key: PrimaryKey | undefined,
    row: readonly SqlText[] | undefined,
    sides: ReadonlyMap<string, readonly SideRow[]>,
  ): Observation {
    const path = row === undefined ? undefined : this.pathOf(row);
    const { fixedRealmPath } = this.#context.options;
    const paths = [path ?? fixedRealmPath ?? [], suspect.realms ?? []].flat();
    const holders = key === undefined ? [] : this.#holders(key, paths);
    const shown = key === undefined ? (suspect.keyTexts?.join('-') ?? '') : keyText(key);
    const differences: Difference[] = [];
    const add = (kind: DifferenceKind, realmPath: string, more: Partial<Difference> = {}): void => {
      differences.push(this.#difference(kind, shown, realmPath, more));
    };
    if (row !== undefined && path !== undefined && !this.isLeftOut(path)) {
      const holder = holders.find(({ realm }) => realm.path === path);
      const compared = this.#compareRow(suspect, key, row, holder, sides);
      if (compared !== undefined) add(compared.kind, path, compared);
    }
    for (const { realm } of holders) {
      if (row === undefined) add('objectWithoutRow', realm.path, this.#withoutRow(key));
      else if (realm.path !== path) add('wrongRealm', realm.path);
    }
    const own = holders.length > 0 ? sides : this.#rowsOfItsOwn(sides);
    const fingerprint = fingerprintOf(row, own, holders);
    return { suspect, key, row, path, sides, differences, fingerprint };
  }

  /** Rows that refer to a row without object are not compared with anything, and are repaired by themselves. */
  #rowsOfItsOwn(sides: ReadonlyMap<string, readonly SideRow[]>): ReadonlyMap<string, readonly SideRow[]> {
    return new Map(
      this.sides.flatMap(({ property, table }) =>
        table === undefined ? [] : [[property, sides.get(property) ?? []] as const],
      ),
    );
  }

  /** With what is known to be behind it: a stopped table, a dead letter, or what it brings along itself. */
  #difference(kind: DifferenceKind, key: string, realmPath: string, more: Partial<Difference>): Difference {
    const { className } = this.mapped;
    const { stopped, suspects } = this.#context;
    const accepted = stopped.get(className) ?? suspects.deadLetter({ class: className, key }, realmPath);
    const reason = accepted ?? more.reason;
    return {
      kind,
      state: accepted === undefined ? (more.state ?? 'standing') : 'explained',
      className,
      table: this.table,
      key,
      realmPath,
      properties: more.properties ?? [],
      ...(reason === undefined ? {} : { reason }),
    };
  }

  #compareRow(
    suspect: Suspect,
    key: PrimaryKey | undefined,
    row: readonly SqlText[],
    holder: Holder | undefined,
    sides: ReadonlyMap<string, readonly SideRow[]>,
  ): (Partial<Difference> & { readonly kind: DifferenceKind }) | undefined {
    try {
      if (holder === undefined || key === undefined) {
        if (key === undefined) this.mapped.key.toRealm(suspect.keyTexts ?? []);
        this.rows.requireReadable(row);
        return { kind: 'rowWithoutObject' };
      }
      const { object, realm } = holder;
      const properties = this.rows.differences(key, row, object, realm.replica);
      for (const side of this.sides) {
        const own = sides.get(side.property) ?? [];
        if (sameSide(side, own, object, realm.replica)) continue;
        const held = readField(object, side.property, side.definition);
        properties.push(this.rows.shown(side.property, sideText(own), held));
      }
      return properties.length === 0 ? undefined : { kind: 'different', properties };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const kind = holder === undefined ? 'rowWithoutObject' : 'different';
      return { kind, state: this.#policyState(), reason: error.message };
    }
  }

  #withoutRow(key: PrimaryKey | undefined): Partial<Difference> {
    if (key === undefined) return {};
    try {
      this.mapped.key.toSql(key);
      return {};
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return { state: this.#policyState(), reason: error.message };
    }
  }

  /** What one side cannot hold is left out where the configuration says so. */
  #policyState(): DifferenceState {
    return putsAside(this.#context.options.ignoreSqlErrors, [this.mapped.className])
      ? 'explained'
      : 'standing';
  }

  /** Asking every realm for every key would take too long where there are many. */
  #holders(key: PrimaryKey, paths: Iterable<string>): Holder[] {
    return [...new Set(paths)].flatMap((path) => {
      const realm = this.#context.realms.get(path);
      const object = realm?.replica.object(this.mapped.className, key);
      return realm === undefined || object === undefined ? [] : [{ realm, object }];
    });
  }
}
