/** Names in a query: columns of its sources and of the queries around it, variables, functions of the engine. */
import { SqlFailure } from '../../contract.ts';
import type { CommonTable, FunctionCall, QueryExpression } from '../../sql/ast.ts';
import { type CompiledAggregate, compileAggregate, isAggregate } from '../../sql/expressions/aggregates.ts';
import type {
  Compiled,
  CompiledQuery,
  Session as CompilerSession,
  Scope,
  Typed,
} from '../../sql/expressions/scope.ts';
import { compileEngineFunction } from '../catalog/functions.ts';
import { compileGlobalVariable } from '../catalog/global-variables.ts';
import type { Session } from '../session/session.ts';
import type { Table } from '../storage/table.ts';
import type { Env } from './environment.ts';
import { compileSubquery } from './query.ts';
import { compileWindow } from './windows.ts';

export type SourceColumn = Typed & {
  readonly name: string;
  readonly slot: number;
  readonly identity?: boolean;
  /** The id of the column of the base table behind it. */
  readonly columnId?: number;
};

/** Something in FROM that has columns. */
export type Source = {
  readonly index: number;
  /** How columns are qualified with it: an alias, or the parts of a table's name, in lower case. */
  readonly qualifier: readonly string[];
  readonly columns: readonly SourceColumn[];
  readonly table: Table | undefined;
};

/** Common tables by name in lower case, with those that they may refer to themselves. */
export type CommonTables = ReadonlyMap<
  string,
  { readonly definition: CommonTable; readonly around: CommonTables }
>;

type Grouping = {
  /** Keys `source:slot` of the columns that may be used outside aggregates. */
  readonly columns: ReadonlySet<string>;
  readonly calls: { readonly call: FunctionCall; readonly compiled: CompiledAggregate<Env> }[];
};

export class QueryScope implements Scope<Env> {
  readonly owner: Session;
  readonly outer: QueryScope | undefined;
  readonly sources: Source[] = [];
  readonly commonTables: CommonTables;
  /** Sources that are named while it is set. */
  touched: Set<number> | undefined;
  /** A row of a query around this one was named. */
  usesOuter = false;
  grouping: Grouping | undefined;
  /** Window functions may stand only in the select list and ORDER BY. */
  windowsAllowed = false;

  constructor(owner: Session, outer: QueryScope | undefined, commonTables?: CommonTables) {
    this.owner = owner;
    this.outer = outer;
    this.commonTables = commonTables ?? outer?.commonTables ?? new Map();
  }

  get session(): CompilerSession {
    return this.owner.compilerSession;
  }

  /** Runs `work` and says which sources of this query were named in it. */
  record<T>(work: () => T): { readonly result: T; readonly touched: Set<number> } {
    const before = this.touched;
    const touched = new Set<number>();
    this.touched = touched;
    try {
      return { result: work(), touched };
    } finally {
      this.touched = before;
      if (before) for (const one of touched) before.add(one);
    }
  }

  column(parts: readonly string[], line: number): Compiled<Env> {
    let depth = 0;
    for (let scope: QueryScope | undefined = this; scope; scope = scope.outer, depth++) {
      const found = scope.#find(parts, line);
      if (!found) continue;
      for (let inner: QueryScope = this; inner !== scope; inner = inner.outer!) inner.usesOuter = true;
      scope.touched?.add(found.source.index);
      scope.#checkGrouped(found.source, found.column, line);
      return columnReader(found.source, found.column, depth);
    }
    if (parts.length > 1 && !this.#knows(parts)) {
      throw new SqlFailure(4104, `The multi-part identifier "${parts.join('.')}" could not be bound.`, {
        line,
      });
    }
    throw new SqlFailure(207, `Invalid column name '${parts.at(-1)}'.`, { line });
  }

  /** True when what stands before the column's name is a source of this query or of one around it. */
  #knows(parts: readonly string[]): boolean {
    const qualifier = parts.slice(0, -1).map((part) => part.toLowerCase());
    for (let scope: QueryScope | undefined = this; scope; scope = scope.outer)
      if (scope.sources.some((source) => matches(source, qualifier))) return true;
    return false;
  }

  #find(
    parts: readonly string[],
    line: number,
  ): { readonly source: Source; readonly column: SourceColumn } | undefined {
    const name = parts.at(-1)!.toLowerCase();
    const qualifier = parts.slice(0, -1).map((part) => part.toLowerCase());
    let found: { readonly source: Source; readonly column: SourceColumn } | undefined;
    for (const source of this.sources) {
      if (!matches(source, qualifier)) continue;
      const column = source.columns.find((one) => one.name.toLowerCase() === name);
      if (!column) continue;
      if (found) throw new SqlFailure(209, `Ambiguous column name '${parts.at(-1)}'.`, { line });
      found = { source, column };
    }
    return found;
  }

  #checkGrouped(source: Source, column: SourceColumn, line: number): void {
    if (!this.grouping || this.grouping.columns.has(`${source.index}:${column.slot}`)) return;
    const name = `${source.qualifier.at(-1) ?? ''}.${column.name}`;
    throw new SqlFailure(
      8120,
      `Column '${name}' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.`,
      { line },
    );
  }

  variable(name: string, line: number): Compiled<Env> {
    const variable = this.owner.variables.get(name.toLowerCase());
    if (!variable) {
      throw new SqlFailure(137, `Must declare the scalar variable "${name}".`, { line, state: 2 });
    }
    return {
      type: variable.type,
      nullable: true,
      collation: { name: this.owner.currentDatabase.collation, label: 'coercible' },
      evaluate: () => variable.value,
    };
  }

  globalVariable(name: string, line: number): Compiled<Env> {
    return compileGlobalVariable(this.owner, name, line);
  }

  call(call: FunctionCall): Compiled<Env> | undefined {
    if (call.over) return compileWindow(call, this);
    if (isAggregate(call)) return this.#aggregate(call);
    return compileEngineFunction(call, this);
  }

  #aggregate(call: FunctionCall): Compiled<Env> {
    const { grouping } = this;
    if (!grouping) {
      throw new SqlFailure(
        147,
        'An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.',
        { line: call.line },
      );
    }
    this.grouping = undefined;
    try {
      const compiled = compileAggregate(call, this);
      const at = grouping.calls.push({ call, compiled }) - 1;
      return {
        type: compiled.type,
        nullable: compiled.nullable,
        ...(compiled.collation ? { collation: compiled.collation } : {}),
        evaluate: (env) => env.aggregates[at] ?? null,
      };
    } finally {
      this.grouping = grouping;
    }
  }

  subquery(query: QueryExpression): CompiledQuery<Env> {
    return compileSubquery(query, this);
  }

  nextValueFor(sequence: readonly string[], line: number): Compiled<Env> {
    return this.owner.nextValueFor(sequence, line);
  }
}

function matches(source: Source, qualifier: readonly string[]): boolean {
  if (qualifier.length > source.qualifier.length) return false;
  const offset = source.qualifier.length - qualifier.length;
  return qualifier.every((part, at) => part === '' || source.qualifier[offset + at] === part);
}

function columnReader(source: Source, column: SourceColumn, depth: number): Compiled<Env> {
  const { index } = source;
  const { slot } = column;
  const evaluate =
    depth === 0
      ? (env: Env) => env.rows[index]![slot] ?? null
      : (env: Env) => {
          let at = env;
          for (let up = depth; up > 0; up--) at = at.outer!;
          return at.rows[index]![slot] ?? null;
        };
  return {
    type: column.type,
    nullable: column.nullable,
    ...(column.collation ? { collation: column.collation } : {}),
    evaluate,
    columnName: column.name,
    ...(column.identity ? { identity: true } : {}),
  };
}
