/**
 * What happened after a version, as a view shows it, when that is not much (else see catch-ups.ts): computed once for all sessions with the same view that are at the
 * same version. Always up to the realm's head, so that one commit makes all of it old.
 */
import type { Body } from '../../protocol/messages.ts';
import type { DownloadEntry, ServerRealm } from '../../store/server/contract.ts';
import type { ChangeWindow } from '../../store/server/snapshot-contract.ts';
import { COLLAPSED_FROM, type SharedDelta, sharedDelta } from '../flexible/delta.ts';
import type { View } from '../flexible/view.ts';
import { entriesBody } from './flexible-messages.ts';

/** Bytes of history that what is kept was computed from; clients that come back from far away do not fill the memory. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** Bytes of history that are looked at in one step: some ten milliseconds. */
const FAR_FROM = 256 * 1024;
/** What an entry counts beside that. */
const BASE_SIZE = 512;

export class DeltaCache {
  readonly #realm: ServerRealm;
  readonly #collapsedFrom: number;
  readonly #farFrom: number;
  readonly #deltas = new Map<string, SharedDelta>();
  readonly #windows = new Map<number, ChangeWindow>();
  readonly #bodies = new WeakMap<SharedDelta, Map<number, Body | Promise<Body>>>();
  #upTo = 0;
  #bytes = 0;

  /** Beyond `collapsedFrom` bytes of history, states are sent instead of what led to them. */
  constructor(realm: ServerRealm, collapsedFrom = COLLAPSED_FROM, farFrom = FAR_FROM) {
    this.#realm = realm;
    this.#collapsedFrom = collapsedFrom;
    this.#farFrom = farFrom;
  }

  /** Whether more has happened after a version than is to be looked at in one step. */
  isFar(after: number): boolean {
    const { head } = this.#realm;
    if (after >= head.version) return false;
    if (head.version !== this.#upTo) this.#startAnew(head.version);
    return this.#window(after).size > this.#farFrom;
  }

  /** Throws `RangeError` when the realm no longer knows what happened after that version. */
  get(view: View, after: number): SharedDelta {
    const { head } = this.#realm;
    if (head.version !== this.#upTo || this.#bytes > KEPT_BYTES) this.#startAnew(head.version);
    const key = `${after} ${view.signature}`;
    const known = this.#deltas.get(key);
    if (known !== undefined) return known;
    const window = this.#window(after);
    const delta = sharedDelta({
      snapshot: this.#realm.now,
      window,
      from: view,
      to: view,
      collapsedFrom: this.#collapsedFrom,
    });
    this.#deltas.set(key, delta);
    this.#bytes += BASE_SIZE + window.size;
    return delta;
  }

  /** The body of the entries that every client gets of whose own nothing is in the delta, made once. */
  body(delta: SharedDelta, clientVersion: number, entries: readonly DownloadEntry[]): Body | Promise<Body> {
    let bodies = this.#bodies.get(delta);
    if (bodies === undefined) {
      bodies = new Map();
      this.#bodies.set(delta, bodies);
    }
    let body = bodies.get(clientVersion);
    if (body === undefined) {
      body = entriesBody(entries);
      bodies.set(clientVersion, body);
    }
    return body;
  }

  #startAnew(upTo: number): void {
    this.#deltas.clear();
    this.#windows.clear();
    this.#upTo = upTo;
    this.#bytes = 0;
  }

  /** While the head stays, so does the state that a window looks at. */
  #window(after: number): ChangeWindow {
    let window = this.#windows.get(after);
    if (window === undefined) {
      window = this.#realm.now.window(after);
      this.#windows.set(after, window);
    }
    return window;
  }
}
