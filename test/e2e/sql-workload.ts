/** Random transactions as another application of the Chinook database would make them. */
import type pg from 'pg';
import type { Random } from '../support/random.ts';

/** Keys that the SQL side makes; far from those of the realm's side so that only shared rows meet. */
const FIRST_SQL_KEY = 1_000_000;

export class SqlWorkload {
  readonly #client: pg.ClientBase;
  readonly #random: Random;
  #nextKey: number;
  readonly #ownTracks: number[] = [];
  readonly #ownLines: number[] = [];

  /** `number` keeps the keys of several workloads apart. */
  constructor(client: pg.ClientBase, random: Random, number: number) {
    this.#client = client;
    this.#random = random;
    this.#nextKey = FIRST_SQL_KEY + number * 100_000;
  }

  /** The same workload over a new connection. */
  over(client: pg.ClientBase): SqlWorkload {
    const next = new SqlWorkload(client, this.#random, 0);
    next.#nextKey = this.#nextKey;
    next.#ownTracks.push(...this.#ownTracks);
    next.#ownLines.push(...this.#ownLines);
    return next;
  }

  /** One transaction of one to four statements. */
  async step(): Promise<void> {
    const statements = 1 + (this.#random.chance(0.4) ? this.#random.below(4) : 0);
    await this.#client.query('BEGIN');
    try {
      for (let count = 0; count < statements; count += 1) await this.#statement();
      await this.#client.query('COMMIT');
    } catch (error) {
      await this.#client.query('ROLLBACK').catch(() => {}); // the connection may be what failed
      throw error;
    }
  }

  async #statement(): Promise<void> {
    const random = this.#random;
    switch (random.below(10)) {
      case 0:
      case 1:
        await this.#run('UPDATE artist SET name = $1 WHERE artist_id = $2', [
          this.#text(),
          1 + random.below(275),
        ]);
        return;
      case 2:
        await this.#run('UPDATE track SET milliseconds = $1, composer = $2 WHERE track_id = $3', [
          random.below(1_000_000),
          random.chance(0.3) ? null : this.#text(),
          1 + random.below(3503),
        ]);
        return;
      case 3:
        await this.#run('UPDATE track SET genre_id = $1 WHERE track_id = $2', [
          random.chance(0.2) ? null : 1 + random.below(25),
          1 + random.below(3503),
        ]);
        return;
      case 4:
        await this.#insertTrack();
        return;
      case 5:
        await this.#deleteOwnTrack();
        return;
      case 6:
        await this.#insertLine();
        return;
      case 7:
        await this.#run('UPDATE customer SET city = $1, support_rep_id = $2 WHERE customer_id = $3', [
          this.#text(),
          random.chance(0.2) ? null : 1 + random.below(8),
          1 + random.below(59),
        ]);
        return;
      case 8:
        await this.#run('UPDATE invoice SET total = $1, invoice_date = $2 WHERE invoice_id = $3', [
          (random.below(100_000) / 100).toFixed(2),
          new Date(
            Date.UTC(2000 + random.below(40), random.below(12), 1 + random.below(28), random.below(24)),
          ).toISOString(),
          1 + random.below(412),
        ]);
        return;
      default:
        await this.#run('UPDATE employee SET title = $1, reports_to = $2 WHERE employee_id = $3', [
          this.#text(),
          random.chance(0.3) ? null : 1 + random.below(8),
          1 + random.below(8),
        ]);
    }
  }

  async #insertTrack(): Promise<void> {
    this.#nextKey += 1;
    const key = this.#nextKey;
    await this.#run(
      'INSERT INTO track (track_id, name, album_id, media_type_id, genre_id, milliseconds, unit_price) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [
        key,
        this.#text(),
        this.#random.chance(0.2) ? null : 1 + this.#random.below(347),
        1 + this.#random.below(5),
        1 + this.#random.below(25),
        this.#random.below(500_000),
        '0.99',
      ],
    );
    this.#ownTracks.push(key);
  }

  async #deleteOwnTrack(): Promise<void> {
    const [line] = this.#ownLines.splice(this.#random.below(Math.max(1, this.#ownLines.length)), 1);
    if (line !== undefined) await this.#run('DELETE FROM invoice_line WHERE invoice_line_id = $1', [line]);
    const [track] = this.#ownTracks.splice(this.#random.below(Math.max(1, this.#ownTracks.length)), 1);
    if (track !== undefined) await this.#run('DELETE FROM track WHERE track_id = $1', [track]);
  }

  async #insertLine(): Promise<void> {
    this.#nextKey += 1;
    await this.#run(
      'INSERT INTO invoice_line (invoice_line_id, invoice_id, track_id, unit_price, quantity) VALUES ($1, $2, $3, $4, $5)',
      [
        this.#nextKey,
        1 + this.#random.below(412),
        1 + this.#random.below(3503),
        '1.99',
        1 + this.#random.below(9),
      ],
    );
    this.#ownLines.push(this.#nextKey);
  }

  async #run(text: string, values: unknown[]): Promise<void> {
    await this.#client.query(text, values);
  }

  #text(): string {
    return `sql ${this.#random.below(1_000_000).toString(36)} é✓'"`;
  }
}
