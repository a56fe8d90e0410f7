/** Binds what stands in FROM to sources of a scope. */
import { SqlFailure } from '../../contract.ts';
import type { ObjectName, TableSource } from '../../sql/ast.ts';
import { systemView } from '../catalog/system-views.ts';
import { bindChanges, bindVersion } from '../change-tracking/change-table.ts';
import type { Table } from '../storage/table.ts';
import { type Conjunct, splitConjuncts } from './conjuncts.ts';
import { type Env, newEnv } from './environment.ts';
import { bindOpenJson } from './open-json.ts';
import { cached, type JoinKind, type Leaf, tableRows } from './producers.ts';
import { compileQuery } from './query.ts';
import { QueryScope, type Source, type SourceColumn } from './query-scope.ts';
import { type Purpose, requireSameCatalog } from './table-access.ts';
import { bindTableFunction } from './table-functions.ts';
import { bindValues } from './values-source.ts';

/** Bound, not yet planned: conditions are needed for that, which can only be compiled when all sources are bound. */
export type Bound =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | {
      readonly kind: 'join';
      readonly join: JoinKind;
      readonly lateral: boolean;
      readonly left: Bound;
      readonly right: Bound;
      readonly on: readonly Conjunct[];
      readonly sources: readonly number[];
    };

/** How the target of UPDATE and DELETE is found among the sources. */
export type TargetWish = { readonly table: Table | undefined; readonly name: string; index?: number };

export function bindSources(
  sources: readonly TableSource[],
  scope: QueryScope,
  target?: TargetWish,
): Bound | undefined {
  let bound: Bound | undefined;
  for (const source of sources) {
    const next = bind(source, scope, target, false);
    bound = bound
      ? {
          kind: 'join',
          join: 'inner',
          lateral: false,
          left: bound,
          right: next,
          on: [],
          sources: [...sourcesOf(bound), ...sourcesOf(next)],
        }
      : next;
  }
  return bound;
}

function sourcesOf(bound: Bound): readonly number[] {
  return bound.kind === 'leaf' ? [bound.leaf.source.index] : bound.sources;
}

function bind(
  source: TableSource,
  scope: QueryScope,
  target: TargetWish | undefined,
  lateral: boolean,
): Bound {
  if (source.kind !== 'join') return { kind: 'leaf', leaf: bindLeaf(source, scope, target, lateral) };
  const applies = source.join === 'crossApply' || source.join === 'outerApply';
  const left = bind(source.left, scope, target, lateral);
  const right = bind(source.right, scope, target, lateral || applies);
  const sources = [...sourcesOf(left), ...sourcesOf(right)];
  const on = splitConjuncts(source.on, scope);
  const base = { kind: 'join', lateral: applies, sources, on } as const;
  switch (source.join) {
    case 'inner':
    case 'cross':
    case 'crossApply':
      return { ...base, join: 'inner', left, right };
    case 'left':
    case 'outerApply':
      return { ...base, join: 'left', left, right };
    case 'right':
      return { ...base, join: 'left', left: right, right: left };
    case 'full':
      return { ...base, join: 'full', left, right };
  }
}

/** Registers a source in the scope, its columns renamed as `AS t (a, b)` says. */
export function addSource(
  scope: QueryScope,
  qualifier: readonly string[],
  columns: readonly SourceColumn[],
  table: Table | undefined,
  columnAliases: readonly string[] | undefined,
  line: number,
): Source {
  const lower = qualifier.map((part) => part.toLowerCase());
  const exposed = lower.at(-1);
  if (exposed !== undefined && scope.sources.some((one) => sameExposed(one.qualifier, lower))) {
    throw new SqlFailure(
      1013,
      `The objects "${qualifier.at(-1)}" and "${qualifier.at(-1)}" in the FROM clause have the same exposed names. Use correlation names to distinguish them.`,
      { line },
    );
  }
  if (columnAliases && columnAliases.length !== columns.length) {
    const wrong = columnAliases.length > columns.length ? 'more' : 'fewer';
    throw new SqlFailure(
      wrong === 'more' ? 8159 : 8158,
      `'${qualifier.at(-1)}' has ${wrong === 'more' ? 'fewer' : 'more'} columns than were specified in the column list.`,
      { line },
    );
  }
  const named = columnAliases ? columns.map((one, at) => ({ ...one, name: columnAliases[at]! })) : columns;
  const source: Source = { index: scope.sources.length, qualifier: lower, columns: named, table };
  scope.sources.push(source);
  return source;
}

function sameExposed(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, at) => part === b[at]);
}

function bindLeaf(
  source: Exclude<TableSource, { readonly kind: 'join' }>,
  scope: QueryScope,
  target: TargetWish | undefined,
  lateral: boolean,
): Leaf {
  switch (source.kind) {
    case 'table':
      return bindTable(source, scope, target);
    case 'tableVariable': {
      const table = scope.owner.tableVariable(source.name, source.line);
      return baseLeaf(scope, table, [source.alias ?? source.name], [], source, target);
    }
    case 'derived':
      return bindDerived(source, scope, lateral);
    case 'values':
      return bindValues(source, scope);
    case 'changes':
      return bindChanges(source, scope);
    case 'version':
      return bindVersion(source, scope);
    case 'openJson':
      return bindOpenJson(source, scope);
    case 'tableFunction':
      return bindTableFunction(source, scope);
  }
}

function bindTable(
  source: Extract<TableSource, { readonly kind: 'table' }>,
  scope: QueryScope,
  target: TargetWish | undefined,
): Leaf {
  const { name } = source;
  const common = !name.schema && !name.database && scope.commonTables.get(name.name.toLowerCase());
  if (common) {
    const { definition, around } = common;
    const query = definition.query;
    const inner = new QueryScope(scope.owner, undefined, around);
    const plan = compileQuery(query, inner);
    const columns = plan.columns.map((one, at) => ({
      ...one,
      name: definition.columns?.[at] ?? one.name,
      slot: at,
    }));
    const bound = addSource(
      scope,
      [source.alias ?? name.name],
      columns,
      undefined,
      source.columnAliases,
      source.line,
    );
    return {
      source: bound,
      constant: true,
      rows: ({ run }) => cached(run, plan, () => plan.rows(newEnv(run))),
    };
  }
  const view = systemView(name, scope.owner);
  if (view) {
    const qualifier = source.alias ? [source.alias] : qualifierOf(name);
    const columns = view.columns.map((one, at) => ({ ...one, slot: at }));
    const bound = addSource(scope, qualifier, columns, undefined, source.columnAliases, source.line);
    return {
      source: bound,
      constant: true,
      rows: ({ run }) => {
        requireSameCatalog(run);
        return cached(run, bound, () => view.rows(scope.owner));
      },
    };
  }
  const userView = scope.owner.findView(name);
  if (userView) {
    scope.owner.checkPermission('SELECT', userView, undefined, source.line);
    const plan = compileQuery(userView.query, new QueryScope(scope.owner, undefined, userView.commonTables));
    const columns = plan.columns.map((one, at) => ({
      ...one,
      name: userView.names?.[at] ?? one.name,
      slot: at,
    }));
    const qualifier = source.alias ? [source.alias] : qualifierOf(name);
    const bound = addSource(scope, qualifier, columns, undefined, source.columnAliases, source.line);
    return {
      source: bound,
      constant: true,
      rows: ({ run }) => cached(run, plan, () => plan.rows(newEnv(run))),
    };
  }
  const table = scope.owner.requireTable(name);
  const qualifier = source.alias ? [source.alias] : [table.schema, table.temporary ? name.name : table.name];
  return baseLeaf(scope, table, qualifier, source.hints, source, target);
}

function qualifierOf(name: ObjectName): readonly string[] {
  return name.schema ? [name.schema, name.name] : [name.name];
}

function baseLeaf(
  scope: QueryScope,
  table: Table,
  qualifier: readonly string[],
  hints: readonly string[],
  written: { readonly columnAliases: readonly string[] | undefined; readonly line: number },
  target: TargetWish | undefined,
): Leaf {
  const columns = tableColumns(table);
  const source = addSource(scope, qualifier, columns, table, written.columnAliases, written.line);
  const isTarget =
    target !== undefined &&
    target.index === undefined &&
    (target.name === source.qualifier.at(-1) || target.table === table);
  if (isTarget) target.index = source.index;
  else scope.owner.checkPermission('SELECT', table, undefined, written.line);
  const purpose: Purpose = isTarget ? 'write' : 'read';
  const access = { table, hints, purpose };
  return { source, constant: true, access, rows: tableRows({ access }) };
}

export function tableColumns(table: Table): readonly SourceColumn[] {
  return table.columns.map((column) => ({
    name: column.name,
    slot: column.slot,
    type: column.type,
    nullable: column.nullable,
    columnId: column.id,
    ...(column.collation ? { collation: { name: column.collation, label: 'implicit' as const } } : {}),
    ...(column.identity ? { identity: true } : {}),
  }));
}

function bindDerived(
  source: Extract<TableSource, { readonly kind: 'derived' }>,
  scope: QueryScope,
  lateral: boolean,
): Leaf {
  const around = lateral ? scope : scope.outer;
  const inner = new QueryScope(scope.owner, around, scope.commonTables);
  const plan = compileQuery(source.query, inner);
  const columns = plan.columns.map((one, at) => ({ ...one, slot: at }));
  const unnamed = columns.findIndex((one) => one.name === '');
  if (unnamed >= 0 && !source.columnAliases) {
    throw new SqlFailure(
      8155,
      `No column name was specified for column ${unnamed + 1} of '${source.alias}'.`,
      {
        line: source.line,
      },
    );
  }
  const bound = addSource(
    scope,
    source.alias ? [source.alias] : [],
    columns,
    undefined,
    source.columnAliases,
    source.line,
  );
  const rows = (env: Env) => plan.rows(newEnv(env.run, lateral ? env : env.outer));
  if (inner.usesOuter) {
    scope.usesOuter ||= !lateral;
    return { source: bound, constant: false, rows };
  }
  return { source: bound, constant: true, rows: (env) => cached(env.run, plan, () => rows(env)) };
}
