/** Reads what the types of columns are made of: domains down to their bottom, elements, fields, bounds. */
import type { StoredType, TypeStructure } from '../../src/connector/dialect.ts';
import { DEFAULT_DELIMITER } from './codec/array-text.ts';
import type { Session } from './session.ts';

/** Base type of every enum, whatever its name. */
export const ENUM_TYPE = 'enum';

export type CatalogType = StoredType & {
  /** Names under which a configuration may speak of the type, the most particular first. */
  readonly names: readonly string[];
};

/** Every type that the columns of the tables need, by its oid. Elements are told from `typarray`: box has one without being an array. */
const TYPES = `WITH RECURSIVE reached (oid) AS (
    SELECT atttypid FROM pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped
    UNION SELECT p.oid FROM reached r JOIN pg_type t ON t.oid = r.oid CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT e.oid FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT g.rngsubtype FROM pg_range g WHERE g.rngtypid = t.oid
    ) p (oid)
  )
  SELECT t.oid, t.typname, n.nspname, t.typtype, format_type(t.oid, -1), t.typdelim, t.typbasetype, e.oid, g.rngsubtype
  FROM reached r JOIN pg_type t ON t.oid = r.oid JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid LEFT JOIN pg_range g ON g.rngtypid = t.oid`;

const FIELDS = `SELECT c.reltype, a.attname, a.atttypid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.reltype = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.reltype, a.attnum`;

/**
 * How many decimals an amount of money has where the database's own sessions write it, whatever ours are set to: the
 * setting lasts as long as the statement.
 */
const MONEY_PLACES = `SELECT scale(1::numeric::money::numeric) FROM (
    SELECT set_config('lc_monetary', reset_val, true) FROM pg_settings WHERE name = 'lc_monetary' OFFSET 0
  ) s (setting) WHERE setting IS NOT NULL`;

const USUAL_MONEY_PLACES = 2;

type TypeRow = {
  readonly name: string;
  readonly schema: string;
  readonly kind: string;
  readonly formatted: string;
  readonly delimiter: string;
  readonly domainOf: string;
  readonly element: string | null;
  readonly bound: string | null;
};

/** By oid. */
export async function readTypes(
  session: Session,
  tableOids: string,
): Promise<ReadonlyMap<string, CatalogType>> {
  const rows = new Map<string, TypeRow>();
  for (const row of await session.query(TYPES, [tableOids])) {
    const [oid, name, schema, kind, formatted, delimiter, domainOf, element, bound] = row.map(
      (text) => text ?? '',
    );
    if (oid === undefined || name === undefined || schema === undefined || kind === undefined) continue;
    rows.set(oid, {
      name,
      schema,
      kind,
      formatted: formatted ?? name,
      delimiter: delimiter ?? DEFAULT_DELIMITER,
      domainOf: domainOf ?? '',
      element: element === '' ? null : (element ?? null),
      bound: bound === '' ? null : (bound ?? null),
    });
  }
  const composites = [...rows].filter(([, row]) => row.kind === 'c').map(([oid]) => oid);
  const fields = composites.length === 0 ? [] : await session.query(FIELDS, [`{${composites.join(',')}}`]);
  const hasMoney = [...rows.values()].some((row) => row.schema === 'pg_catalog' && row.name === 'money');
  const places = hasMoney ? (await session.query(MONEY_PLACES))[0]?.[0] : undefined;
  const builder = new TypeBuilder(rows, fields, Number(places ?? USUAL_MONEY_PLACES));
  return new Map([...rows.keys()].map((oid) => [oid, builder.named(oid)]));
}

class TypeBuilder {
  readonly #rows: ReadonlyMap<string, TypeRow>;
  readonly #fields = new Map<string, { name: string; type: string }[]>();
  readonly #built = new Map<string, StoredType>();
  readonly #moneyPlaces: number;

  constructor(
    rows: ReadonlyMap<string, TypeRow>,
    fields: readonly (readonly (string | null)[])[],
    moneyPlaces: number,
  ) {
    this.#rows = rows;
    this.#moneyPlaces = moneyPlaces;
    for (const [record, name, type] of fields) {
      const list = this.#fields.get(record ?? '');
      const field = { name: name ?? '', type: type ?? '' };
      if (list === undefined) this.#fields.set(record ?? '', [field]);
      else list.push(field);
    }
  }

  named(oid: string): CatalogType {
    const row = this.#rows.get(oid);
    const root = this.#root(oid);
    if (row === undefined || root === undefined) return { ...UNKNOWN, names: [] };
    const kind = root.element !== null ? ['ARRAY'] : root.schema === 'pg_catalog' ? [] : ['USER-DEFINED'];
    return { ...this.#type(oid), names: [row.name, `${row.schema}.${row.name}`, row.formatted, ...kind] };
  }

  #type(oid: string): StoredType {
    const known = this.#built.get(oid);
    if (known !== undefined) return known;
    const row = this.#rows.get(oid);
    const root = this.#root(oid);
    if (row === undefined || root === undefined) return UNKNOWN;
    const type: StoredType = {
      type: row.formatted,
      baseType: root.kind === 'e' ? ENUM_TYPE : root.name,
      ...(root.delimiter === DEFAULT_DELIMITER ? {} : { delimiter: root.delimiter }),
      ...this.#structure(root, this.#rootOid(oid)),
    };
    this.#built.set(oid, type);
    return type;
  }

  #structure(root: TypeRow, oid: string): { structure?: TypeStructure } {
    if (root.element !== null)
      return { structure: { kind: 'array', element: this.#type(root.element), dimensions: 1 } };
    if (root.bound !== null) return { structure: { kind: 'range', bound: this.#type(root.bound) } };
    if (root.kind === 'c') {
      const fields = (this.#fields.get(oid) ?? []).map(({ name, type }) => ({
        name,
        type: this.#type(type),
      }));
      return { structure: { kind: 'record', fields } };
    }
    if (root.schema === 'pg_catalog' && root.name === 'money')
      return { structure: { kind: 'money', places: this.#moneyPlaces } };
    return {};
  }

  #root(oid: string): TypeRow | undefined {
    return this.#rows.get(this.#rootOid(oid));
  }

  /** The type at the bottom of a domain. */
  #rootOid(oid: string): string {
    let current = oid;
    for (;;) {
      const row = this.#rows.get(current);
      if (row === undefined || row.kind !== 'd') return current;
      current = row.domainOf;
    }
  }
}

/** A type that vanished between two statements. */
const UNKNOWN: StoredType = { type: 'text', baseType: 'text' };
