/** One state of a realm with its history, over whichever connection shows it. */
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../../schema/value.ts';
import { StoreError } from '../sqlite/store-error.ts';
import type { WorkingView } from '../sqlite/working-view.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StoredState } from '../state/reader.ts';
import { StoredWindow } from './change-window.ts';
import type { SaltedVersion } from './contract.ts';
import type { EarlierStateTable } from './earlier-state-table.ts';
import type { HistoryHead, HistoryTable } from './history-table.ts';
import type { RealmFacts } from './realm-table.ts';
import type { ChangeWindow, RealmSnapshot } from './snapshot-contract.ts';

/** What a reading is made of. */
export type ReadingParts = {
  readonly realm: number;
  readonly view: WorkingView;
  readonly history: HistoryTable;
  readonly earlier: EarlierStateTable;
  readonly head: HistoryHead;
  readonly facts: RealmFacts;
  /** Called once. */
  readonly release: () => void;
};

/** The parts, until the reading is closed: then its connection shows another state to another reading. */
export class ReadingSource {
  readonly realm: number;
  readonly head: HistoryHead;
  readonly facts: RealmFacts;
  #parts: ReadingParts | undefined;

  constructor(parts: ReadingParts) {
    this.realm = parts.realm;
    this.head = parts.head;
    this.facts = parts.facts;
    this.#parts = parts;
  }

  get view(): WorkingView {
    return this.#open.view;
  }

  get history(): HistoryTable {
    return this.#open.history;
  }

  get earlier(): EarlierStateTable {
    return this.#open.earlier;
  }

  close(): void {
    const parts = this.#parts;
    this.#parts = undefined;
    parts?.release();
  }

  get #open(): ReadingParts {
    if (this.#parts === undefined) throw new StoreError('The snapshot is closed');
    return this.#parts;
  }
}

export class RealmReading implements RealmSnapshot {
  readonly head: SaltedVersion;
  readonly oldest: number;
  readonly #source: ReadingSource;

  constructor(parts: ReadingParts) {
    const { head, facts } = parts;
    this.#source = new ReadingSource(parts);
    this.head = { version: head.version, salt: head.salt };
    this.oldest = Math.max(facts.flexibleSince ?? head.version, facts.base.version);
  }

  get schema(): RealmSchema {
    return this.#source.view.schema;
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.#source.view.object(table, key);
  }

  objects(table: string, after?: PrimaryKey): Iterable<StoredState> {
    return this.#source.view.objects(table, after);
  }

  count(table: string): number {
    return this.#source.view.count(table);
  }

  linking(table: string, field: string, target: { table: string; key: PrimaryKey }): Iterable<StoredState> {
    return this.#source.view.linking(table, field, target);
  }

  isIndexed(table: string, field: string): boolean {
    return this.#source.view.isIndexed(table, field);
  }

  withValue(table: string, field: string, values: readonly ScalarValue[]): Iterable<StoredState> {
    return this.#source.view.withValue(table, field, values);
  }

  window(after: number): ChangeWindow {
    if (after < this.oldest || after > this.head.version) {
      throw new RangeError(
        `version ${after} is not within what is kept: ${this.oldest} to ${this.head.version}`,
      );
    }
    return new StoredWindow(this.#source, after);
  }

  close(): void {
    this.#source.close();
  }
}
