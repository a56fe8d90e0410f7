/** Scalar expressions and conditions. T-SQL keeps them apart: a condition has no value, and a scalar is no condition. */
import type { Datum, SqlType } from '../contract.ts';
import type { OrderItem, QueryExpression } from './ast-queries.ts';

/** A type as written: `nvarchar(max)`, `[decimal](10, 2)`, `sysname`. Resolved by `types/type-names.ts`. */
export type TypeName = {
  readonly line: number;
  readonly schema: string | undefined;
  readonly name: string;
  readonly parameters: readonly (number | 'max')[];
};

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^';
export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Expression =
  /** A constant with the type that its notation has. `NULL` has no type of its own. */
  | { readonly kind: 'literal'; readonly line: number; readonly type: SqlType; readonly value: Datum }
  | { readonly kind: 'null'; readonly line: number }
  /** `c`, `t.c`, `dbo.t.c`. */
  | ColumnReference
  /** `@v`, with its `@`. */
  | { readonly kind: 'variable'; readonly line: number; readonly name: string }
  /** `@@rowcount`, with its `@@`, in upper case. */
  | { readonly kind: 'globalVariable'; readonly line: number; readonly name: string }
  | {
      readonly kind: 'unary';
      readonly line: number;
      readonly operator: '-' | '+' | '~';
      readonly operand: Expression;
    }
  | {
      readonly kind: 'binary';
      readonly line: number;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'case';
      readonly line: number;
      /** `CASE x WHEN …`; absent when each WHEN is a condition. */
      readonly operand: Expression | undefined;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise: Expression | undefined;
    }
  | {
      /** `CASE WHEN condition THEN …`, and IIF. */
      readonly kind: 'searchedCase';
      readonly line: number;
      readonly branches: readonly { readonly when: Condition; readonly result: Expression }[];
      readonly otherwise: Expression | undefined;
    }
  | FunctionCall
  | {
      /** CAST, CONVERT, and their TRY_ forms. */
      readonly kind: 'convert';
      readonly line: number;
      readonly operand: Expression;
      readonly type: TypeName;
      readonly style: Expression | undefined;
      readonly attempt: boolean;
    }
  | {
      readonly kind: 'collate';
      readonly line: number;
      readonly operand: Expression;
      readonly collation: string;
    }
  | {
      readonly kind: 'atTimeZone';
      readonly line: number;
      readonly operand: Expression;
      readonly zone: Expression;
    }
  | { readonly kind: 'subquery'; readonly line: number; readonly query: QueryExpression }
  | { readonly kind: 'nextValueFor'; readonly line: number; readonly sequence: readonly string[] };

export type ColumnReference = {
  readonly kind: 'column';
  readonly line: number;
  readonly parts: readonly string[];
};

export type FunctionCall = {
  readonly kind: 'function';
  readonly line: number;
  /** In upper case; with a schema as written, `SCHEMA.NAME`. */
  readonly name: string;
  readonly arguments: readonly Expression[];
  /** `COUNT(*)`. */
  readonly star: boolean;
  /** `COUNT(DISTINCT x)`. */
  readonly distinct: boolean;
  /** The word that begins DATEADD, DATEDIFF, DATEPART …, in lower case and unabbreviated where it is a known one. */
  readonly word: string | undefined;
  readonly over: Window | undefined;
  /** `STRING_AGG(…) WITHIN GROUP (ORDER BY …)`. */
  readonly withinGroup: readonly OrderItem[] | undefined;
};

export type Window = { readonly partitionBy: readonly Expression[]; readonly orderBy: readonly OrderItem[] };

export type Condition =
  | {
      readonly kind: 'comparison';
      readonly line: number;
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'and' | 'or';
      readonly line: number;
      readonly left: Condition;
      readonly right: Condition;
    }
  | { readonly kind: 'not'; readonly line: number; readonly operand: Condition }
  | {
      readonly kind: 'isNull';
      readonly line: number;
      readonly operand: Expression;
      readonly negated: boolean;
    }
  | {
      readonly kind: 'like';
      readonly line: number;
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | undefined;
      readonly negated: boolean;
    }
  | {
      readonly kind: 'between';
      readonly line: number;
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly negated: boolean;
    }
  | {
      readonly kind: 'inList';
      readonly line: number;
      readonly operand: Expression;
      readonly list: readonly Expression[];
      readonly negated: boolean;
    }
  | {
      readonly kind: 'inQuery';
      readonly line: number;
      readonly operand: Expression;
      readonly query: QueryExpression;
      readonly negated: boolean;
    }
  | { readonly kind: 'exists'; readonly line: number; readonly query: QueryExpression }
  | {
      /** `x = ANY (SELECT …)`. */
      readonly kind: 'quantified';
      readonly line: number;
      readonly operator: ComparisonOperator;
      readonly quantifier: 'any' | 'all';
      readonly operand: Expression;
      readonly query: QueryExpression;
    };
