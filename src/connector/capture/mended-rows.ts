/**
 * Rows that were changed to what no realm value can hold and mended since. The log brings the faulty version first, so
 * that after a stop only the row as it is now tells whether the connector can go on: a later change in the log brings it.
 */
import type { SourceDialect, SqlText } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { realmStateOf, realmValueOf } from './row-plan.ts';
import type { RowEffect } from './transaction-buffer.ts';

export class MendedRows {
  readonly #dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly #names = new Set<string>();
  #refused: RowEffect | undefined;

  constructor(dialect: Pick<SourceDialect, 'fetchRows'>) {
    this.#dialect = dialect;
  }

  /** The faulty version of a mended row does not count any more. */
  has(effect: RowEffect): boolean {
    return this.#names.has(nameOf(effect));
  }

  /** A version that the realm can hold was written: from here on the row is as any other. */
  written(effect: RowEffect): void {
    if (this.#names.size > 0) this.#names.delete(nameOf(effect));
  }

  /** `stop` throws when the connector is to stop at this row. */
  refuse(effect: RowEffect, stop: () => void): void {
    this.#refused = effect;
    stop();
    this.#refused = undefined;
  }

  /** After a stop: true when the row at which it happened was mended, so that another try passes over it. */
  async passesOver(): Promise<boolean> {
    const refused = this.#refused;
    this.#refused = undefined;
    if (refused === undefined || !(await this.#isMended(refused))) return false;
    this.#names.add(nameOf(refused));
    return true;
  }

  async #isMended({ plan, keyTexts }: RowEffect): Promise<boolean> {
    const { table, key } = plan.mapping;
    const [texts] = await this.#dialect.fetchRows(
      table,
      [...key.columns, ...plan.held.map(({ name }) => name)],
      [keyTexts],
      key.columns,
    );
    if (texts === undefined) return true; // its deletion is in the log
    const row: SqlText[] = plan.names.map(() => null);
    plan.held.forEach(({ index }, place) => {
      row[index] = texts[key.columns.length + place] ?? null;
    });
    try {
      for (const { index, mapped } of plan.columns) realmValueOf(plan.mapping, mapped, row[index] ?? null);
      for (const planned of plan.states) realmStateOf(planned, row);
      return true;
    } catch (error) {
      if (error instanceof DataError) return false;
      throw error;
    }
  }
}

function nameOf({ plan, keyTexts }: RowEffect): string {
  return `${plan.mapping.className}\0${keyTexts.join('\0')}`;
}
