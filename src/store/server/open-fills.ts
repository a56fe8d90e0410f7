/** Fills under way, each with a snapshot: kept between the requests of one client, given up when it stays away. */
import { BacklogError } from './backlog-error.ts';
import type { RealmSnapshot } from './snapshot-contract.ts';
import type { StateFill } from './state-fill.ts';

/** Each holds a connection to the database and some megabytes of its pages. */
const MAX_FILLS = 64;
/** Milliseconds without a request after which a fill is given up; the client starts anew when it returns. */
const MAX_IDLE = 60_000;

type OpenFill = {
  readonly fill: StateFill;
  readonly snapshot: RealmSnapshot;
  readonly timer: NodeJS.Timeout;
};

export class OpenFills {
  readonly #fills = new Map<string, OpenFill>();

  /** The fill that goes on where the client is. */
  at(realm: number, fileIdent: number, cursor: number): StateFill | undefined {
    const open = this.#fills.get(place(realm, fileIdent));
    if (open?.fill.reached !== cursor) return undefined;
    open.timer.refresh();
    return open.fill;
  }

  /** Throws `BacklogError` when too many are open; the snapshot is then the caller's still. */
  open(realm: number, fileIdent: number, fill: StateFill, snapshot: RealmSnapshot): void {
    this.close(realm, fileIdent);
    if (this.#fills.size >= MAX_FILLS) {
      throw new BacklogError(`${this.#fills.size} new clients are being sent a whole realm`);
    }
    const timer = setTimeout(() => this.close(realm, fileIdent), MAX_IDLE);
    timer.unref();
    this.#fills.set(place(realm, fileIdent), { fill, snapshot, timer });
  }

  close(realm: number, fileIdent: number): void {
    const key = place(realm, fileIdent);
    const open = this.#fills.get(key);
    if (open === undefined) return;
    clearTimeout(open.timer);
    this.#fills.delete(key);
    open.snapshot.close();
  }

  closeAll(): void {
    for (const { timer, snapshot } of this.#fills.values()) {
      clearTimeout(timer);
      snapshot.close();
    }
    this.#fills.clear();
  }
}

function place(realm: number, fileIdent: number): string {
  return `${realm} ${fileIdent}`;
}
