/**
 * Which columns hold secrets (`secretProperties`), and what is shown of statements and errors that concern them.
 * PostgreSQL itself repeats values in messages and details, so that those are gone through as well.
 */
import type { SqlText, TableInfo, TableName } from '../../src/connector/dialect.ts';

/** What stands in place of a value. */
export const CONCEALED = '[secret]';
/** Longer values are cut where they are only shown. */
const LONGEST_SHOWN_VALUE = 2_000;
const FAILING_ROW = /Failing row contains \(.*\)/s;
/** `Key (a, b)=(1, 2)`, as unique, foreign key and exclusion constraints say it. */
const KEY_VALUES = /(Key \((.*?)\))=\((.*?)\)(?= |$)/gs;
const QUOTED = /"[^"]*"/g;
const DATA_EXCEPTION = '22';

/** What a statement carries: rows aligned to columns, or nothing known about its values but the table. */
export type BoundRows = {
  readonly table: TableInfo;
  /** Absent when the values stand for no particular columns, as in list tables. */
  readonly columns?: readonly string[];
  readonly rows: readonly (readonly SqlText[])[];
};

export class Concealment {
  #isSecret: (table: TableName, column: string) => boolean = () => false;

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
  withoutSecrets(text: string, sqlState: string | undefined, bound: BoundRows): string {
    let concealed = text.replace(FAILING_ROW, `Failing row contains (${CONCEALED})`);
    concealed = concealed.replace(KEY_VALUES, (whole, key: string, columns: string) =>
      columns.split(', ').some((name) => this.#isSecret(bound.table.table, unquoted(name)))
        ? `${key}=(${CONCEALED})`
        : whole,
    );
    for (const secret of this.#secretsOf(bound)) concealed = concealed.replaceAll(secret, CONCEALED);
    // What could not be read as a value of its type is quoted, and maybe not as it was sent.
    if (sqlState?.startsWith(DATA_EXCEPTION)) concealed = concealed.replace(QUOTED, `"${CONCEALED}"`);
    return concealed;
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

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
