/**
 * Which columns hold secrets (`secretProperties`), and what is shown of statements and errors that concern them. A
 * database itself repeats values in its messages, so that those are gone through as well.
 */
import type { SqlText, TableInfo, TableName } from './dialect.ts';

/** What stands in place of a value. */
export const CONCEALED = '[secret]';
/** Longer values are cut where they are only shown. */
const LONGEST_SHOWN_VALUE = 2_000;

/** What a statement carries: rows aligned to columns, or nothing known about its values but the table. */
export type BoundRows = {
  readonly table: TableInfo;
  /** Absent when the values stand for no particular columns, as in list tables. */
  readonly columns?: readonly string[];
  readonly rows: readonly (readonly SqlText[])[];
};

/** How one database repeats values in the texts of its errors. `code` is its own for the error. */
export type ErrorHabits = {
  /** Takes out what is said of the row that was met, by columns of the statement's table that are secret. */
  readonly concealRow: (
    text: string,
    code: string | undefined,
    isSecret: (column: string) => boolean,
  ) => string;
  /** Takes out what could not be read as a value of its type, which may be shown otherwise than it was sent. */
  readonly concealMisread: (text: string, code: string | undefined) => string;
};

export class Concealment {
  readonly #habits: ErrorHabits;
  #isSecret: (table: TableName, column: string) => boolean = () => false;

  constructor(habits: ErrorHabits) {
    this.#habits = habits;
  }

  use(isSecret: (table: TableName, column: string) => boolean): void {
    this.#isSecret = isSecret;
  }

  /** The bound values of a statement for people to read; `values` has one entry per column, or is all secret. */
  shown(values: readonly unknown[], bound: BoundRows | undefined): (string | null)[] {
    return values.map((value, index) => {
      if (bound !== undefined && this.#concerns(bound, bound.columns?.[index])) return CONCEALED;
      return value === null || value === undefined ? null : cut(String(value));
    });
  }

  /** True when a statement with these rows may make the server repeat a secret. */
  concerns({ table }: BoundRows): boolean {
    return table.columns.some(({ name }) => this.#isSecret(table.table, name));
  }

  /** The text of an error without the secrets of the statement that failed and of the row that it met. */
  withoutSecrets(text: string, code: string | undefined, bound: BoundRows): string {
    const { table } = bound.table;
    let concealed = this.#habits.concealRow(text, code, (column) => this.#isSecret(table, column));
    for (const secret of this.#secretsOf(bound)) concealed = concealed.replaceAll(secret, CONCEALED);
    return this.#habits.concealMisread(concealed, code);
  }

  #concerns(bound: BoundRows, column: string | undefined): boolean {
    return column === undefined ? this.concerns(bound) : this.#isSecret(bound.table.table, column);
  }

  /** The longest first, so that none is left in part because it contains another. */
  #secretsOf(bound: BoundRows): string[] {
    const secrets = new Set<string>();
    for (const row of bound.rows) {
      row.forEach((text, index) => {
        if (text !== null && text !== '' && this.#concerns(bound, bound.columns?.[index])) secrets.add(text);
      });
    }
    return [...secrets].sort((a, b) => b.length - a.length);
  }
}

function cut(text: string): string {
  return text.length <= LONGEST_SHOWN_VALUE
    ? text
    : `${text.slice(0, LONGEST_SHOWN_VALUE)}… (${text.length})`;
}
