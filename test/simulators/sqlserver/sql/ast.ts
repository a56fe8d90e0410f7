/**
 * The syntax tree of the T-SQL subset that the simulator understands: what `parse.ts` makes of a batch. Names are kept
 * as written (without their brackets or quotes); nothing is resolved yet. Lines count from 1 within the batch.
 */
import type { IsolationLevel } from '../contract.ts';
import type { AlterDatabase, ColumnDefinition, DataDefinition, TableConstraint } from './ast-definitions.ts';
import type { Condition, Expression, TypeName } from './ast-expressions.ts';
import type {
  ChangeTrackingContext,
  CommonTable,
  HintList,
  ObjectName,
  OutputClause,
  QueryExpression,
  QueryOption,
  TableSource,
  Top,
} from './ast-queries.ts';

export type * from './ast-definitions.ts';
export type * from './ast-expressions.ts';
export type * from './ast-queries.ts';

export type Statement =
  | SelectStatement
  | InsertStatement
  | InsertBulk
  | UpdateStatement
  | DeleteStatement
  | ControlStatement
  | VariableStatement
  | TransactionStatement
  | SessionStatement
  | AlterDatabase
  | DataDefinition;

/** What stands before SELECT, INSERT, UPDATE and DELETE: `WITH CHANGE_TRACKING_CONTEXT (x), cte AS (…)`. */
type WithClause = {
  readonly line: number;
  readonly changeContext: ChangeTrackingContext | undefined;
  readonly commonTables: readonly CommonTable[];
  /** `OPTION (…)` at its end. */
  readonly options: readonly QueryOption[];
};

export type SelectStatement = WithClause & { readonly kind: 'select'; readonly query: QueryExpression };

/** A table that is written: by name (which may be an alias of FROM), or a table variable. */
export type WriteTarget =
  | { readonly kind: 'name'; readonly name: ObjectName; readonly hints: HintList }
  | { readonly kind: 'variable'; readonly name: string; readonly line: number };

export type InsertStatement = WithClause & {
  readonly kind: 'insert';
  readonly top: Top | undefined;
  readonly target: WriteTarget;
  /** Absent: all columns in their order. */
  readonly columns: readonly string[] | undefined;
  readonly output: OutputClause | undefined;
  readonly source:
    | { readonly kind: 'values'; readonly rows: readonly (readonly ValueOrDefault[])[] }
    | { readonly kind: 'query'; readonly query: QueryExpression }
    | { readonly kind: 'execute'; readonly statement: ExecuteStatement }
    | { readonly kind: 'defaultValues' };
};

export type ValueOrDefault = Expression | { readonly kind: 'default'; readonly line: number };

/** `INSERT BULK t (c type …) WITH (…)`, which announces a bulk load. */
export type InsertBulk = {
  readonly kind: 'insertBulk';
  readonly line: number;
  readonly target: ObjectName;
  readonly columns: readonly {
    readonly name: string;
    readonly type: TypeName;
    readonly collation: string | undefined;
  }[];
  /** Names in upper case, e.g. `KEEP_NULLS`, `CHECK_CONSTRAINTS`, `TABLOCK`. */
  readonly options: readonly string[];
};

export type AssignmentOperator = '=' | '+=' | '-=' | '*=' | '/=' | '%=' | '&=' | '|=' | '^=';

export type SetClause = {
  readonly line: number;
  /** `SET @v = c = x` has both; one of the two is always there. */
  readonly column: readonly string[] | undefined;
  readonly variable: string | undefined;
  readonly operator: AssignmentOperator;
  readonly value: ValueOrDefault;
};

export type UpdateStatement = WithClause & {
  readonly kind: 'update';
  readonly top: Top | undefined;
  readonly target: WriteTarget;
  readonly set: readonly SetClause[];
  readonly output: OutputClause | undefined;
  readonly from: readonly TableSource[];
  readonly where: Condition | undefined;
};

export type DeleteStatement = WithClause & {
  readonly kind: 'delete';
  readonly top: Top | undefined;
  readonly target: WriteTarget;
  readonly output: OutputClause | undefined;
  readonly from: readonly TableSource[];
  readonly where: Condition | undefined;
};

export type ControlStatement =
  | {
      readonly kind: 'if';
      readonly line: number;
      readonly condition: Condition;
      readonly body: Statement;
      readonly otherwise: Statement | undefined;
    }
  | {
      readonly kind: 'while';
      readonly line: number;
      readonly condition: Condition;
      readonly body: Statement;
    }
  | { readonly kind: 'block'; readonly line: number; readonly statements: readonly Statement[] }
  | {
      readonly kind: 'tryCatch';
      readonly line: number;
      readonly attempt: readonly Statement[];
      readonly handler: readonly Statement[];
    }
  | { readonly kind: 'break' | 'continue'; readonly line: number }
  | { readonly kind: 'return'; readonly line: number; readonly value: Expression | undefined }
  | { readonly kind: 'print'; readonly line: number; readonly value: Expression }
  | {
      readonly kind: 'throw';
      readonly line: number;
      /** Absent: raises again what the CATCH block caught. */
      readonly error:
        | { readonly number: Expression; readonly message: Expression; readonly state: Expression }
        | undefined;
    }
  | {
      readonly kind: 'raiserror';
      readonly line: number;
      readonly message: Expression;
      readonly severity: Expression;
      readonly state: Expression;
      readonly arguments: readonly Expression[];
      /** In upper case: `NOWAIT`, `LOG`, `SETERROR`. */
      readonly options: readonly string[];
    }
  | {
      readonly kind: 'waitfor';
      readonly line: number;
      readonly until: 'delay' | 'time';
      readonly value: Expression;
    }
  | ExecuteStatement;

export type ExecuteArgument = {
  /** With its `@`, absent when given by position. */
  readonly name: string | undefined;
  readonly value: ValueOrDefault;
  readonly output: boolean;
};

export type ExecuteStatement =
  | {
      readonly kind: 'execute';
      readonly line: number;
      readonly procedure: ObjectName;
      readonly arguments: readonly ExecuteArgument[];
      /** `EXEC @status = procedure`. */
      readonly returnTo: string | undefined;
    }
  | { readonly kind: 'executeText'; readonly line: number; readonly text: Expression };

export type VariableStatement =
  | {
      readonly kind: 'declare';
      readonly line: number;
      readonly variables: readonly {
        readonly name: string;
        readonly type: TypeName;
        readonly value: Expression | undefined;
        readonly line: number;
      }[];
    }
  | {
      readonly kind: 'declareTable';
      readonly line: number;
      readonly name: string;
      readonly columns: readonly ColumnDefinition[];
      readonly constraints: readonly TableConstraint[];
    }
  | {
      readonly kind: 'setVariable';
      readonly line: number;
      readonly name: string;
      readonly operator: AssignmentOperator;
      readonly value: Expression;
    };

export type TransactionStatement =
  | { readonly kind: 'beginTransaction'; readonly line: number; readonly name: TransactionName | undefined }
  | { readonly kind: 'commitTransaction'; readonly line: number; readonly name: TransactionName | undefined }
  | {
      readonly kind: 'rollbackTransaction';
      readonly line: number;
      readonly name: TransactionName | undefined;
    }
  | { readonly kind: 'saveTransaction'; readonly line: number; readonly name: TransactionName };

/** A name, or a variable (with its `@`) that holds it. */
export type TransactionName = string;

export type SessionStatement =
  | { readonly kind: 'use'; readonly line: number; readonly database: string }
  | { readonly kind: 'setIsolation'; readonly line: number; readonly level: IsolationLevel }
  | {
      /** `SET NOCOUNT, XACT_ABORT ON`: names in upper case. */
      readonly kind: 'setOptions';
      readonly line: number;
      readonly names: readonly string[];
      readonly on: boolean;
    }
  | {
      /** `SET LOCK_TIMEOUT 5000`, `SET DATEFORMAT mdy`: the name in upper case, words as literals in lower case. */
      readonly kind: 'setValue';
      readonly line: number;
      readonly name:
        | 'LOCK_TIMEOUT'
        | 'TEXTSIZE'
        | 'LANGUAGE'
        | 'DATEFIRST'
        | 'DATEFORMAT'
        | 'DEADLOCK_PRIORITY'
        | 'ROWCOUNT'
        | 'CONTEXT_INFO';
      readonly value: Expression;
    }
  | {
      readonly kind: 'setIdentityInsert';
      readonly line: number;
      readonly table: ObjectName;
      readonly on: boolean;
    }
  | { readonly kind: 'kill'; readonly line: number; readonly session: Expression }
  | {
      readonly kind: 'executeAs';
      readonly line: number;
      readonly principal: 'user' | 'login' | 'caller';
      readonly name: string | undefined;
    }
  | { readonly kind: 'revert'; readonly line: number };
