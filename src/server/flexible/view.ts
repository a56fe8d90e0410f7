/**
 * What a client of flexible sync sees: for each class the query of its subscriptions and what its user's role lets it
 * read, objects and fields. A view is a pure function of a realm's state.
 */
import { compileQuery } from '../../query/compile.ts';
import type { Query, QueryDependencies, QueryObject, QueryWorld } from '../../query/contract.ts';
import { QueryError } from '../../query/query-error.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { ClassAccess, FlexibleRules, RuleUser } from '../rules/contract.ts';
import { hiddenDependency } from '../rules/hidden-dependency.ts';
import { type FieldMask, fieldMask, shownBy } from './field-mask.ts';
import { parseDescription, type ViewDescription } from './view-description.ts';

/** The part of a view in one class. */
export type ClassView = {
  readonly table: string;
  /** An object must match all of them. */
  readonly predicates: readonly Query[];
  readonly fields: FieldMask;
  readonly signature: string;
};

export interface View {
  /** Equal for views that show the same of every state. */
  readonly signature: string;
  /** From which {@link restoreView} makes the view again. */
  readonly description: string;
  /** Classes with a subscription, whether anything of them may be seen or not. */
  readonly tables: ReadonlySet<string>;
  /** Classes of which anything may be seen. */
  readonly classes: ReadonlyMap<string, ClassView>;
  readonly isEmpty: boolean;
  includes(table: string, object: QueryObject, world: QueryWorld): boolean;
  shows(table: string, field: string): boolean;
  /** What the view of a class depends on; undefined for a class that is not in the view. */
  dependencies(table: string): readonly QueryDependencies[];
}

export type ViewOptions = {
  /** As the client sent them, by class. */
  readonly queries: ReadonlyMap<string, string>;
  readonly rules: FlexibleRules;
  readonly user: RuleUser;
  readonly schema: RealmSchema;
  /**
   * A query that would tell what the user may not read: `refused` is for a client that asks it now, `empty` for one that
   * could ask it under the rights that it had; it sees nothing of that class then.
   */
  readonly hidden?: 'refused' | 'empty';
};

/** The queries of IDENT and QUERY (spec/wire-protocol.md §3.2). Throws {@link QueryError} for what is none. */
export function parseQueries(json: string): ReadonlyMap<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new QueryError(json, 0, 'the subscriptions are not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new QueryError(json, 0, 'the subscriptions are no object of queries by class');
  }
  const queries = new Map<string, string>();
  for (const [table, text] of Object.entries(parsed)) {
    if (typeof text !== 'string') throw new QueryError(json, 0, `the query for ${table} is not a text`);
    queries.set(table, text);
  }
  return queries;
}

/** Throws {@link QueryError} for a query that cannot be judged, or that the user may not ask. */
export function compileView({ queries, rules, user, schema, hidden = 'refused' }: ViewOptions): View {
  const classes: ClassView[] = [];
  for (const [table, text] of queries) {
    const query = compileSubscription(table, text, schema);
    const access = rules.access(user, table, schema);
    if (access.read === 'none') continue;
    const secret = user.isAdmin ? undefined : hiddenDependency(query, { user, rules, schema });
    if (secret !== undefined && hidden === 'empty') continue;
    if (secret !== undefined)
      throw new QueryError(text, 0, `the query for ${table} cannot be asked: ${secret}`);
    classes.push(
      classView(table, predicatesOf(query, access), fieldMask(access, schema.get(table)?.columns)),
    );
  }
  return new CompiledView(new Set(queries.keys()), classes);
}

/** A view as it was described earlier. Throws {@link QueryError} when the schema no longer has what it needs. */
export function restoreView(description: string, schema: RealmSchema): View {
  const { subscribed, classes } = parseDescription(description);
  return new CompiledView(
    new Set(subscribed),
    classes.map(({ table, predicates, fields }) =>
      classView(
        table,
        predicates.map((text) => compileQuery(text, { schema, table })),
        fields,
      ),
    ),
  );
}

function compileSubscription(table: string, text: string, schema: RealmSchema): Query {
  const kind = schema.get(table)?.kind;
  if (kind === undefined) throw new QueryError(text, 0, `there is no class ${table}`);
  if (kind !== 'topLevel')
    throw new QueryError(text, 0, `${table} is ${kind}: nothing of it can be subscribed to`);
  const query = compileQuery(text, { schema, table });
  if (query.hasDescriptors) {
    throw new QueryError(text, 0, `a subscription to ${table} cannot sort, limit or make distinct`);
  }
  return query;
}

function predicatesOf(query: Query, { read }: ClassAccess): readonly Query[] {
  const filters = read === 'all' || read === 'none' ? [query] : [query, read];
  const needed = filters.filter(({ constant }) => constant !== true);
  return needed.filter(
    ({ canonical }, at) => needed.findIndex((other) => other.canonical === canonical) === at,
  );
}

function classView(table: string, predicates: readonly Query[], fields: FieldMask): ClassView {
  const sorted = [...predicates].sort((a, b) => (a.canonical < b.canonical ? -1 : 1));
  const signature = JSON.stringify([table, sorted.map(({ canonical }) => canonical), fields]);
  return { table, predicates: sorted, fields, signature };
}

class CompiledView implements View {
  readonly signature: string;
  readonly description: string;
  readonly tables: ReadonlySet<string>;
  readonly classes: ReadonlyMap<string, ClassView>;

  constructor(tables: ReadonlySet<string>, classes: readonly ClassView[]) {
    const sorted = [...classes].sort((a, b) => (a.table < b.table ? -1 : 1));
    this.tables = tables;
    this.classes = new Map(sorted.map((part) => [part.table, part]));
    this.signature = sorted.map(({ signature }) => signature).join('\n');
    this.description = JSON.stringify({
      subscribed: [...tables].sort(),
      classes: sorted.map(({ table, predicates, fields }) => ({
        table,
        predicates: predicates.map(({ canonical }) => canonical),
        fields,
      })),
    } satisfies ViewDescription);
  }

  get isEmpty(): boolean {
    return this.classes.size === 0;
  }

  includes(table: string, object: QueryObject, world: QueryWorld): boolean {
    const part = this.classes.get(table);
    return part?.predicates.every((query) => query.matches(object, world)) === true;
  }

  shows(table: string, field: string): boolean {
    const part = this.classes.get(table);
    return part !== undefined && shownBy(part.fields, field);
  }

  dependencies(table: string): readonly QueryDependencies[] {
    return this.classes.get(table)?.predicates.map(({ dependencies }) => dependencies) ?? [];
  }
}
