/** Random transactions as another application of the Chinook database would make them, whatever database holds it. */
import type { Random } from '../support/random.ts';

export type RowValue = string | number | Date | null;
/** Named as the classes and properties are; links hold the key that they lead to. */
export type RowChange =
  | {
      readonly kind: 'insert' | 'update';
      readonly className: string;
      readonly key: number;
      readonly values: Readonly<Record<string, RowValue>>;
    }
  | { readonly kind: 'delete'; readonly className: string; readonly key: number };

/** Keys that the SQL side makes; far from those of the realm's side so that only shared rows meet. */
const FIRST_SQL_KEY = 1_000_000;

export class SqlWorkload {
  readonly #random: Random;
  #nextKey: number;
  readonly #ownTracks: number[] = [];
  readonly #ownLines: number[] = [];

  /** `number` keeps the keys of several workloads apart. */
  constructor(random: Random, number: number) {
    this.#random = random;
    this.#nextKey = FIRST_SQL_KEY + number * 100_000;
  }

  /** One transaction of one to four changes. */
  step(): readonly RowChange[] {
    const count = 1 + (this.#random.chance(0.4) ? this.#random.below(4) : 0);
    return Array.from({ length: count }, () => this.#change()).flat();
  }

  #change(): readonly RowChange[] {
    const random = this.#random;
    switch (random.below(10)) {
      case 0:
      case 1:
        return [updated('Artist', 1 + random.below(275), { name: this.#text() })];
      case 2:
        return [
          updated('Track', 1 + random.below(3503), {
            milliseconds: random.below(1_000_000),
            composer: random.chance(0.3) ? null : this.#text(),
          }),
        ];
      case 3:
        return [updated('Track', 1 + random.below(3503), { genre: this.#perhaps(0.8, 25) })];
      case 4:
        return [this.#newTrack()];
      case 5:
        return this.#deletions();
      case 6:
        return [this.#newLine()];
      case 7:
        return [
          updated('Customer', 1 + random.below(59), {
            city: this.#text(),
            supportRep: this.#perhaps(0.8, 8),
          }),
        ];
      case 8:
        return [
          updated('Invoice', 1 + random.below(412), {
            total: (random.below(100_000) / 100).toFixed(2),
            invoiceDate: this.#time(),
          }),
        ];
      default:
        return [
          updated('Employee', 1 + random.below(8), {
            title: this.#text(),
            reportsTo: this.#perhaps(0.7, 8),
          }),
        ];
    }
  }

  #newTrack(): RowChange {
    const key = ++this.#nextKey;
    this.#ownTracks.push(key);
    const values = {
      name: this.#text(),
      album: this.#perhaps(0.8, 347),
      mediaType: 1 + this.#random.below(5),
      genre: 1 + this.#random.below(25),
      milliseconds: this.#random.below(500_000),
      unitPrice: '0.99',
    };
    return { kind: 'insert', className: 'Track', key, values };
  }

  #newLine(): RowChange {
    const key = ++this.#nextKey;
    this.#ownLines.push(key);
    const values = {
      invoice: 1 + this.#random.below(412),
      track: 1 + this.#random.below(3503),
      unitPrice: '1.99',
      quantity: 1 + this.#random.below(9),
    };
    return { kind: 'insert', className: 'InvoiceLine', key, values };
  }

  /** Of what this workload made, as far as there is something left. */
  #deletions(): readonly RowChange[] {
    const line = this.#takeOneOf(this.#ownLines);
    const track = this.#takeOneOf(this.#ownTracks);
    return [
      ...(line === undefined ? [] : [deleted('InvoiceLine', line)]),
      ...(track === undefined ? [] : [deleted('Track', track)]),
    ];
  }

  #takeOneOf(keys: number[]): number | undefined {
    return keys.splice(this.#random.below(Math.max(1, keys.length)), 1)[0];
  }

  /** One of so many keys with this probability, else no link. */
  #perhaps(probability: number, keys: number): number | null {
    return this.#random.chance(probability) ? 1 + this.#random.below(keys) : null;
  }

  #time(): Date {
    const random = this.#random;
    return new Date(
      Date.UTC(2000 + random.below(40), random.below(12), 1 + random.below(28), random.below(24)),
    );
  }

  #text(): string {
    return `sql ${this.#random.below(1_000_000).toString(36)} é✓'"`;
  }
}

export function updated(
  className: string,
  key: number,
  values: Readonly<Record<string, RowValue>>,
): RowChange {
  return { kind: 'update', className, key, values };
}

function deleted(className: string, key: number): RowChange {
  return { kind: 'delete', className, key };
}
