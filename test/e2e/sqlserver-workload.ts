/** Random transactions as another application of the Chinook database on SQL Server would make them. */
import type { Random } from '../support/random.ts';
import type { SqlValue, TestConnection } from '../support/sqlserver-connection.ts';

/** Keys that the SQL side makes; far from those of the realm's side so that only shared rows meet. */
const FIRST_SQL_KEY = 1_000_000;

export class SqlServerWorkload {
  readonly #connection: TestConnection;
  readonly #random: Random;
  #nextKey: number;
  readonly #ownTracks: number[] = [];
  readonly #ownLines: number[] = [];

  /** `number` keeps the keys of several workloads apart. */
  constructor(connection: TestConnection, random: Random, number: number) {
    this.#connection = connection;
    this.#random = random;
    this.#nextKey = FIRST_SQL_KEY + number * 100_000;
  }

  /** The same workload over a new connection. */
  over(connection: TestConnection): SqlServerWorkload {
    const next = new SqlServerWorkload(connection, this.#random, 0);
    next.#nextKey = this.#nextKey;
    next.#ownTracks.push(...this.#ownTracks);
    next.#ownLines.push(...this.#ownLines);
    return next;
  }

  /** One transaction of one to four statements. */
  async step(): Promise<void> {
    const statements = 1 + (this.#random.chance(0.4) ? this.#random.below(4) : 0);
    await this.#connection.transaction(async () => {
      for (let count = 0; count < statements; count += 1) await this.#statement();
    });
  }

  async #statement(): Promise<void> {
    const random = this.#random;
    switch (random.below(10)) {
      case 0:
      case 1:
        await this.#run(
          'UPDATE Artist SET Name = @p1 WHERE ArtistId = @p2',
          this.#text(),
          1 + random.below(275),
        );
        return;
      case 2:
        await this.#run(
          'UPDATE Track SET Milliseconds = @p1, Composer = @p2 WHERE TrackId = @p3',
          random.below(1_000_000),
          random.chance(0.3) ? null : this.#text(),
          1 + random.below(3503),
        );
        return;
      case 3:
        await this.#run(
          'UPDATE Track SET GenreId = CONVERT(int, @p1) WHERE TrackId = @p2',
          random.chance(0.2) ? null : 1 + random.below(25),
          1 + random.below(3503),
        );
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
        await this.#run(
          'UPDATE Customer SET City = @p1, SupportRepId = CONVERT(int, @p2) WHERE CustomerId = @p3',
          this.#text(),
          random.chance(0.2) ? null : 1 + random.below(8),
          1 + random.below(59),
        );
        return;
      case 8:
        await this.#run(
          'UPDATE Invoice SET Total = CONVERT(decimal(10,2), @p1), InvoiceDate = @p2 WHERE InvoiceId = @p3',
          (random.below(100_000) / 100).toFixed(2),
          new Date(
            Date.UTC(2000 + random.below(40), random.below(12), 1 + random.below(28), random.below(24)),
          ),
          1 + random.below(412),
        );
        return;
      default:
        await this.#run(
          'UPDATE Employee SET Title = @p1, ReportsTo = CONVERT(int, @p2) WHERE EmployeeId = @p3',
          this.#text(),
          random.chance(0.3) ? null : 1 + random.below(8),
          1 + random.below(8),
        );
    }
  }

  async #insertTrack(): Promise<void> {
    this.#nextKey += 1;
    const key = this.#nextKey;
    await this.#run(
      'INSERT INTO Track (TrackId, Name, AlbumId, MediaTypeId, GenreId, Milliseconds, UnitPrice) VALUES (@p1, @p2, CONVERT(int, @p3), @p4, @p5, @p6, 0.99)',
      key,
      this.#text(),
      this.#random.chance(0.2) ? null : 1 + this.#random.below(347),
      1 + this.#random.below(5),
      1 + this.#random.below(25),
      this.#random.below(500_000),
    );
    this.#ownTracks.push(key);
  }

  async #deleteOwnTrack(): Promise<void> {
    const [line] = this.#ownLines.splice(this.#random.below(Math.max(1, this.#ownLines.length)), 1);
    if (line !== undefined) await this.#run('DELETE FROM InvoiceLine WHERE InvoiceLineId = @p1', line);
    const [track] = this.#ownTracks.splice(this.#random.below(Math.max(1, this.#ownTracks.length)), 1);
    if (track !== undefined) await this.#run('DELETE FROM Track WHERE TrackId = @p1', track);
  }

  async #insertLine(): Promise<void> {
    this.#nextKey += 1;
    await this.#run(
      'INSERT INTO InvoiceLine (InvoiceLineId, InvoiceId, TrackId, UnitPrice, Quantity) VALUES (@p1, @p2, @p3, 1.99, @p4)',
      this.#nextKey,
      1 + this.#random.below(412),
      1 + this.#random.below(3503),
      1 + this.#random.below(9),
    );
    this.#ownLines.push(this.#nextKey);
  }

  async #run(text: string, ...values: SqlValue[]): Promise<void> {
    await this.#connection.query(text, values);
  }

  #text(): string {
    return `sql ${this.#random.below(1_000_000).toString(36)} é✓'"`;
  }
}
