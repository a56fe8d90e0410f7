/**
 * What an expression is compiled against. The engine implements `Scope`: it knows tables, variables and metadata; the
 * compiler knows types, operators and functions. `Env` is whatever the engine passes at run time (a row and those around
 * it); the compiler never looks into it.
 *
 * Evaluation is synchronous, subqueries too: an engine that has to wait for a lock does so before, or unwinds the
 * statement and runs it again.
 */
import type { Datum, SqlType } from '../../contract.ts';
import type { FunctionCall, QueryExpression } from '../ast.ts';

/** How strongly an expression holds on to its collation: a COLLATE, a column's, or the database's default. */
export type CollationLabel = 'explicit' | 'implicit' | 'coercible' | 'conflict';
export type ExpressionCollation = { readonly name: string; readonly label: CollationLabel };

export type Typed = {
  readonly type: SqlType;
  readonly nullable: boolean;
  /** For character types. */
  readonly collation?: ExpressionCollation;
};

export type Compiled<Env> = Typed & {
  readonly evaluate: (env: Env) => Datum;
  /** The literal NULL, whose type is int only when nothing else decides. */
  readonly untypedNull?: boolean;
  /** It needs no row: the value is the same whatever `env` is. */
  readonly constant?: boolean;
  /** Digits of a whole-number constant, with which it enters decimal arithmetic. */
  readonly constantDigits?: number;
  /** The column behind it, for the name of a result column and for flags such as identity. */
  readonly columnName?: string;
  readonly identity?: boolean;
};

/** `null` is UNKNOWN. */
export type CompiledCondition<Env> = (env: Env) => boolean | null;

export type CompiledQuery<Env> = {
  readonly columns: readonly Typed[];
  readonly rows: (env: Env) => Iterable<readonly Datum[]>;
};

export interface Session {
  /** The collation of the database, e.g. SQL_Latin1_General_CP1_CI_AS. */
  readonly collation: string;
  readonly dateFormat: 'mdy' | 'dmy' | 'ymd' | 'ydm' | 'myd' | 'dym';
  /** 1 Monday … 7 Sunday (the default in us_english). */
  readonly dateFirst: number;
  /** Milliseconds since 1970 in UTC: the same for a whole statement. */
  now(): number;
}

export interface Scope<Env> {
  readonly session: Session;
  /** Throws 207, 209 or 4104. */
  column(parts: readonly string[], line: number): Compiled<Env>;
  /** Throws 137. */
  variable(name: string, line: number): Compiled<Env>;
  /** `@@NAME` in upper case. */
  globalVariable(name: string, line: number): Compiled<Env>;
  /**
   * Functions that need the engine (metadata, change tracking, errors …), and aggregates where the query has computed
   * them; asked before the functions of `functions/`. `undefined`: not known here. Arguments are not compiled yet.
   */
  call(call: FunctionCall): Compiled<Env> | undefined;
  /** Compiles a subquery with this scope around it. */
  subquery(query: QueryExpression): CompiledQuery<Env>;
  nextValueFor(sequence: readonly string[], line: number): Compiled<Env>;
}
