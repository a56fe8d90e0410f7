/** Queries and what they read from. */
import type { AssignmentOperator, WriteTarget } from './ast.ts';
import type { Condition, Expression, TypeName } from './ast-expressions.ts';

/** `[database].[schema].[name]`. A name that begins with `#` is a temporary table's. */
export type ObjectName = {
  readonly line: number;
  readonly database: string | undefined;
  /** Absent also for `database..name`: the default schema. */
  readonly schema: string | undefined;
  readonly name: string;
};

export type OrderItem = { readonly expression: Expression; readonly descending: boolean };

export type Top = { readonly expression: Expression; readonly percent: boolean; readonly withTies: boolean };

export type QueryOption = { readonly name: string; readonly value: Expression | undefined };

export type ChangeTrackingContext = { readonly line: number; readonly value: Expression };

export type CommonTable = {
  readonly line: number;
  readonly name: string;
  readonly columns: readonly string[] | undefined;
  readonly query: QueryExpression;
};

export type QueryExpression = {
  readonly line: number;
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly offset: Expression | undefined;
  readonly fetch: Expression | undefined;
};

export type QueryBody =
  | QuerySpecification
  | {
      readonly kind: 'setOperation';
      readonly line: number;
      readonly operator: 'union' | 'unionAll' | 'except' | 'intersect';
      readonly left: QueryBody;
      readonly right: QueryBody;
    }
  /** `(SELECT …)` in parentheses. */
  | { readonly kind: 'nested'; readonly line: number; readonly query: QueryExpression };

export type QuerySpecification = {
  readonly kind: 'specification';
  readonly line: number;
  readonly distinct: boolean;
  readonly top: Top | undefined;
  readonly items: readonly SelectItem[];
  readonly into: ObjectName | undefined;
  /** Joined as by CROSS JOIN. */
  readonly from: readonly TableSource[];
  readonly where: Condition | undefined;
  readonly groupBy: readonly Expression[];
  readonly having: Condition | undefined;
};

export type SelectItem =
  | {
      readonly kind: 'expression';
      readonly line: number;
      readonly expression: Expression;
      readonly alias: string | undefined;
    }
  /** `*`, `t.*`, `inserted.*`. */
  | { readonly kind: 'star'; readonly line: number; readonly qualifier: readonly string[] }
  /** `SELECT @v = x`. */
  | {
      readonly kind: 'assign';
      readonly line: number;
      readonly variable: string;
      readonly operator: AssignmentOperator;
      readonly expression: Expression;
    };

/** `OUTPUT inserted.c, deleted.c [INTO @t (c)]`. */
export type OutputClause = {
  readonly line: number;
  readonly items: readonly SelectItem[];
  readonly into:
    | {
        readonly target: WriteTarget;
        readonly columns: readonly string[] | undefined;
      }
    | undefined;
};

/** Table hints in upper case, e.g. `UPDLOCK`, `SERIALIZABLE`, `NOLOCK`; those with an argument, such as INDEX(x), as `INDEX`. */
export type HintList = readonly string[];

type Aliased = {
  readonly line: number;
  readonly alias: string | undefined;
  /** `AS t (c1, c2)`. */
  readonly columnAliases: readonly string[] | undefined;
};

export type TableSource =
  | (Aliased & { readonly kind: 'table'; readonly name: ObjectName; readonly hints: HintList })
  | (Aliased & { readonly kind: 'tableVariable'; readonly name: string })
  | (Aliased & { readonly kind: 'derived'; readonly query: QueryExpression })
  | (Aliased & { readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[] })
  | (Aliased & {
      readonly kind: 'changes';
      readonly table: ObjectName;
      /** A constant, a variable or NULL. */
      readonly since: Expression;
      readonly forceSeek: boolean;
    })
  | (Aliased & {
      /** `CHANGETABLE(VERSION t, (key…), (value…))`. */
      readonly kind: 'version';
      readonly table: ObjectName;
      readonly keyColumns: readonly string[];
      readonly keyValues: readonly Expression[];
    })
  | (Aliased & {
      readonly kind: 'openJson';
      readonly text: Expression;
      readonly path: Expression | undefined;
      /** Absent: the columns key, value and type. */
      readonly columns: readonly OpenJsonColumn[] | undefined;
    })
  /** STRING_SPLIT, GENERATE_SERIES, and the server's own such as sys.fn_listextendedproperty. */
  | (Aliased & {
      readonly kind: 'tableFunction';
      readonly name: ObjectName;
      readonly arguments: readonly Expression[];
    })
  | {
      readonly kind: 'join';
      readonly line: number;
      readonly join: 'inner' | 'left' | 'right' | 'full' | 'cross' | 'crossApply' | 'outerApply';
      readonly left: TableSource;
      readonly right: TableSource;
      /** For inner, left, right and full. */
      readonly on: Condition | undefined;
    };

export type OpenJsonColumn = {
  readonly line: number;
  readonly name: string;
  readonly type: TypeName;
  /** As written, e.g. `$[0]`, `strict $.a`; absent: `$.name`. */
  readonly path: string | undefined;
  readonly asJson: boolean;
};
