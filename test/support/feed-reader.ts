/** Reads a change feed, whichever database it is of, and collects what it delivers. */
import {
  type ChangeFeed,
  type FeedEvent,
  type FeedValue,
  type Position,
  type SourceDialect,
  UNCHANGED,
} from '../../src/connector/dialect.ts';

export class FeedReader {
  readonly events: FeedEvent[] = [];
  readonly feed: ChangeFeed;
  readonly #abort: AbortController;
  readonly done: Promise<unknown>;
  #look: () => void = () => {};

  private constructor(feed: ChangeFeed, abort: AbortController) {
    this.feed = feed;
    this.#abort = abort;
    this.done = this.#read().catch((error: unknown) => error);
  }

  static async open(dialect: Pick<SourceDialect, 'openFeed'>, after?: Position): Promise<FeedReader> {
    const abort = new AbortController();
    return new FeedReader(await dialect.openFeed(after, abort.signal), abort);
  }

  async #read(): Promise<void> {
    try {
      for await (const events of this.feed.events) {
        this.events.push(...events);
        this.#look();
      }
    } finally {
      this.#look();
    }
  }

  /** Waits until that many transactions have been delivered and returns them, each as the lines of {@link describe}. */
  async transactions(count: number): Promise<string[][]> {
    await this.until(() => this.commits().length >= count);
    return grouped(this.events);
  }

  async until(condition: () => boolean): Promise<void> {
    let ended = false;
    const end = this.done.then((error) => {
      ended = true;
      if (error instanceof Error) throw error;
    });
    end.catch(() => {}); // reported only while somebody waits
    while (!condition()) {
      if (ended) throw new Error('the feed ended');
      await Promise.race([new Promise<void>((resolve) => (this.#look = resolve)), end]);
    }
  }

  commits(): Position[] {
    return this.events.flatMap((event) => (event.kind === 'commit' ? [event.position] : []));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.done;
    await this.feed.close();
  }
}

function grouped(events: readonly FeedEvent[]): string[][] {
  const transactions: string[][] = [];
  let open: string[] = [];
  for (const event of events) {
    if (event.kind === 'begin') open = [];
    else if (event.kind === 'commit') transactions.push(open);
    else if (event.kind === 'own' || event.kind === 'change') open.push(describe(event));
  }
  return transactions;
}

/** `insert t 1|a`, `update t 1|~ (was 1|~)`; `~` is a value that was not sent, `∅` is NULL. */
function describe(event: Extract<FeedEvent, { kind: 'own' | 'change' }>): string {
  if (event.kind === 'own') return `own ${event.checkpoint.realmPath} ${event.checkpoint.sequence}`;
  const { change } = event;
  switch (change.kind) {
    case 'truncate':
      return `truncate ${change.tables.map(({ table }) => table.name).join(' ')}`;
    case 'delete':
      return `delete ${change.table.table.name} ${shown(change.old)}`;
    case 'insert':
      return `insert ${change.table.table.name} ${shown(change.row)}`;
    case 'update': {
      const was = change.old === undefined ? '' : ` (was ${shown(change.old)})`;
      return `update ${change.table.table.name} ${shown(change.row)}${was}`;
    }
  }
}

function shown(row: readonly FeedValue[]): string {
  return row
    .map((value) =>
      value === UNCHANGED ? '~' : value === null ? '∅' : value.length > 40 ? `${value.length}×` : value,
    )
    .join('|');
}
