/** Where rows come from: leaves (a table, a list that was computed) and joins of them, over tuples of one row a source. */
import type { Index } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { allHold, type Conjunct, hashText, type Side, sameKeys, seekable, seekText } from './conjuncts.ts';
import { type Data, type Env, NO_ROW, newEnv, type Run, type Tuple } from './environment.ts';
import type { Source } from './query-scope.ts';
import { type Purpose, readerFor, scan, seek } from './table-access.ts';

/** Makes the tuples that go with those in `env.rows` (of sources to the left). */
export type Producer = {
  readonly sources: readonly number[];
  readonly tuples: (env: Env) => Tuple[];
  /** The tuples are the same whatever the rows to the left and around are. */
  readonly constant: boolean;
  /** Set for leaves: conditions may still be given to it, and a join may look rows up in its indexes. */
  readonly leaf?: Leaf;
};

export type Leaf = {
  readonly source: Source;
  /** Rows without regard to conditions. */
  readonly rows: (env: Env) => readonly Data[];
  readonly constant: boolean;
  readonly access?: {
    readonly table: Table;
    readonly hints: readonly string[];
    readonly purpose: Purpose;
  };
};

/** A leaf with the conditions that concern it alone, or it and sources to its left (`available`). */
export function leafProducer(
  leaf: Leaf,
  conjuncts: readonly Conjunct[],
  available: ReadonlySet<number>,
): Producer {
  const { source } = leaf;
  const filters = filtersOf(leaf, conjuncts, available);
  const lookup = leaf.access && findSeek(leaf, filters, available);
  const local = filters.filter((one) => one.touched.size === 1);
  if (lookup) {
    for (const one of filters) one.used = true;
    return {
      sources: [source.index],
      constant: false,
      tuples: (env) => filtered(seekRows(leaf, lookup, env), source, filters, env),
    };
  }
  for (const one of local) one.used = true;
  return {
    sources: [source.index],
    constant: leaf.constant && local.every((one) => !one.usesOuter),
    leaf,
    tuples: (env) => filtered(leaf.rows(env), source, local, env),
  };
}

function filtersOf(leaf: Leaf, conjuncts: readonly Conjunct[], available: ReadonlySet<number>): Conjunct[] {
  const { index } = leaf.source;
  return conjuncts.filter(
    ({ touched }) => touched.has(index) && [...touched].every((one) => one === index || available.has(one)),
  );
}

/** Whether an index finds the leaf's rows once those of `available` are known. */
export function isSought(
  leaf: Leaf,
  conjuncts: readonly Conjunct[],
  available: ReadonlySet<number>,
): boolean {
  return (
    leaf.access !== undefined &&
    findSeek(leaf, filtersOf(leaf, conjuncts, available), available) !== undefined
  );
}

function filtered(rows: readonly Data[], source: Source, filters: readonly Conjunct[], env: Env): Tuple[] {
  const { rows: left } = env;
  const kept: Tuple[] = [];
  for (const data of rows) {
    const tuple = left.slice();
    tuple[source.index] = data;
    if (filters.length > 0) {
      env.rows = tuple;
      if (!allHold(filters, env)) continue;
    }
    kept.push(tuple);
  }
  env.rows = left;
  return kept;
}

type Seek = {
  readonly table: Table;
  readonly index: Index;
  /** For each column of the index what it has to equal; several for IN, then the index has one column. */
  readonly probes: readonly { readonly sides: readonly Side[]; readonly conjunct: Conjunct }[];
};

/** An index whose columns are all compared with something that is known before the leaf's rows are. */
function findSeek(
  leaf: Leaf,
  filters: readonly Conjunct[],
  available: ReadonlySet<number>,
): Seek | undefined {
  const { table } = leaf.access!;
  const at = leaf.source.index;
  const known = (side: Side) => [...side.touched].every((one) => available.has(one));
  const probesOf = (slot: number) => {
    for (const conjunct of filters) {
      const { equality } = conjunct;
      if (!equality) continue;
      const sides = [equality.left, ...equality.rights];
      const own = sides.find((side) => side.column?.source === at && side.column.slot === slot);
      if (!own) continue;
      const others = own === equality.left ? equality.rights : sides.filter((side) => side !== own);
      if (!others.every(known)) continue;
      const column = table.columns.find((one) => one.slot === slot)!;
      if (!sameKeys(column.type, equality.common)) continue;
      const collations = sides.map((side) => side.compiled.collation);
      const compared = collations.find((one) => one?.label === 'explicit')?.name ?? column.collation;
      if (!seekable(column.collation, compared)) continue;
      return { sides: others, conjunct };
    }
    return undefined;
  };
  for (const index of table.indexes) {
    if (index.filter !== undefined) continue;
    const probes = index.columns.map(({ column }) => probesOf(column.slot));
    if (probes.some((probe) => !probe)) continue;
    const found = probes as { readonly sides: readonly Side[]; readonly conjunct: Conjunct }[];
    if (found.length > 1 && found.some(({ sides }) => sides.length > 1)) continue;
    return { table, index, probes: found };
  }
  return undefined;
}

function seekRows(leaf: Leaf, lookup: Seek, env: Env): Data[] {
  const { run } = env;
  const { table, index, probes } = lookup;
  const { hints, purpose } = leaf.access!;
  const reader = cached(run, leaf, () => readerFor(run, table, hints, purpose));
  const found: Data[] = [];
  const single = probes.length === 1 ? probes[0]! : undefined;
  const keys = new Set<string>();
  if (single) {
    const { column } = index.columns[0]!;
    for (const side of single.sides) {
      const key = seekText(side.compiled, single.conjunct.equality!.common, column.collation, env);
      if (key !== undefined) keys.add(key);
    }
  } else {
    const parts: string[] = [];
    for (const [at, { sides, conjunct }] of probes.entries()) {
      const { column } = index.columns[at]!;
      const part = seekText(sides[0]!.compiled, conjunct.equality!.common, column.collation, env);
      if (part === undefined) return found;
      parts.push(part);
    }
    keys.add(parts.map((part) => `${part.length}:${part}`).join(''));
  }
  for (const key of keys) seek(run, table, index, key, reader, purpose === 'write', found);
  return found;
}

/** A leaf that reads a table whole. */
export function tableRows(leaf: { readonly access: NonNullable<Leaf['access']> }): Leaf['rows'] {
  const { table, hints, purpose } = leaf.access;
  return ({ run }) =>
    cached(run, leaf, () => scan(run, table, readerFor(run, table, hints, purpose), purpose === 'write'));
}

export function cached<T>(run: Run, key: unknown, make: () => T): T {
  const present = run.cache.get(key);
  if (present !== undefined) return present as T;
  const made = make();
  run.cache.set(key, made);
  return made;
}

export type JoinKind = 'inner' | 'left' | 'full';

/** Joins with conditions; those that are equalities between the two sides are looked up in a hash. */
export function joinProducer(
  kind: JoinKind,
  left: Producer,
  right: Producer,
  conditions: readonly Conjunct[],
  lateral: boolean,
): Producer {
  const sources = [...left.sources, ...right.sources];
  const leftSet = new Set(left.sources);
  const rightSet = new Set(right.sources);
  for (const one of conditions) one.used = true;
  const equalities = lateral || !right.constant ? [] : hashable(conditions, leftSet, rightSet);
  const state = {};
  const perLeft = lateral || !right.constant;
  return {
    sources,
    constant: left.constant && right.constant && conditions.every((one) => !one.usesOuter),
    tuples: (env) => {
      const before = env.rows;
      const joined: Tuple[] = [];
      const lefts = left.tuples(env);
      const matched = kind === 'full' ? new Set<Tuple>() : undefined;
      const whole = perLeft ? undefined : cached(env.run, state, () => build(right, equalities, env));
      for (const tuple of lefts) {
        env.rows = tuple;
        const candidates = whole ? lookUp(whole, equalities, env) : right.tuples(env);
        let any = false;
        for (const candidate of candidates) {
          const both = tuple.slice();
          for (const at of right.sources) both[at] = candidate[at]!;
          env.rows = both;
          if (!allHold(conditions, env)) continue;
          any = true;
          matched?.add(candidate);
          joined.push(both);
        }
        if (!any && kind !== 'inner') joined.push(withoutRows(tuple, right.sources));
      }
      env.rows = before;
      if (matched && whole) {
        for (const candidate of whole.all) {
          if (!matched.has(candidate)) joined.push(withoutRows(candidate, left.sources));
        }
      }
      return joined;
    },
  };
}

function withoutRows(tuple: Tuple, sources: readonly number[]): Tuple {
  const extended = tuple.slice();
  for (const at of sources) extended[at] = NO_ROW;
  return extended;
}

type Equality = { readonly left: Side; readonly right: Side; readonly conjunct: Conjunct };

function hashable(
  conditions: readonly Conjunct[],
  left: ReadonlySet<number>,
  right: ReadonlySet<number>,
): Equality[] {
  const within = (side: Side, set: ReadonlySet<number>) =>
    side.touched.size > 0 && [...side.touched].every((one) => set.has(one));
  const found: Equality[] = [];
  for (const conjunct of conditions) {
    const { equality } = conjunct;
    if (equality?.rights.length !== 1) continue;
    if (conjunct.usesOuter) continue;
    const [one, other] = [equality.left, equality.rights[0]!];
    if (within(one, left) && within(other, right)) found.push({ left: one, right: other, conjunct });
    else if (within(other, left) && within(one, right)) found.push({ left: other, right: one, conjunct });
  }
  return found;
}

type Built = { readonly all: readonly Tuple[]; readonly byKey: ReadonlyMap<string, Tuple[]> };

function build(right: Producer, equalities: readonly Equality[], env: Env): Built {
  const inner = newEnv(env.run, env.outer);
  const all = right.tuples(inner);
  const byKey = new Map<string, Tuple[]>();
  if (equalities.length > 0) {
    for (const tuple of all) {
      inner.rows = tuple;
      const key = keyOf(equalities, 'right', inner);
      if (key === undefined) continue;
      const present = byKey.get(key);
      if (present) present.push(tuple);
      else byKey.set(key, [tuple]);
    }
  }
  return { all, byKey };
}

const NONE: readonly Tuple[] = [];

function lookUp(built: Built, equalities: readonly Equality[], env: Env): readonly Tuple[] {
  if (equalities.length === 0) return built.all;
  const key = keyOf(equalities, 'left', env);
  return key === undefined ? NONE : (built.byKey.get(key) ?? NONE);
}

function keyOf(equalities: readonly Equality[], side: 'left' | 'right', env: Env): string | undefined {
  let key = '';
  for (const equality of equalities) {
    const part = hashText(equality[side].compiled, equality.conjunct.equality!.common, env);
    if (part === undefined) return undefined;
    key += `${part.length}:${part}`;
  }
  return key;
}
