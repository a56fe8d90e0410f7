/**
 * Clients of one realm that are sent its state instead of a trimmed history (spec/server-history.md §6). Such a file
 * notes the version whose state it is sent. A client that returns in the middle, when its fill is not at hand any more,
 * is sent a newer state, with what happened since the first one stated anew.
 */
import { decodeChangeset } from '../../changeset/codec.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ClientFile } from './client-file-table.ts';
import type { DownloadBatch, DownloadCursor, SaltedVersion, Upload } from './contract.ts';
import { HistoryError } from './history-error.ts';
import type { HistoryHead } from './history-table.ts';
import type { EntryApplication, RealmChange } from './integrate.ts';
import { applyPrefilled, type OwnObjects } from './prefilled-upload.ts';
import type { HistoryBase } from './realm-table.ts';
import type { RealmSnapshot } from './snapshot-contract.ts';
import type { RealmResources } from './sqlite-realm.ts';
import { type ObjectKeys, StateFill } from './state-fill.ts';

/** Clients whose own new objects are remembered; forgetting them costs some a client reset. */
const MAX_REMEMBERED = 200;

export type FillPlace = {
  readonly realm: number;
  readonly resources: RealmResources;
  readonly snapshot: () => RealmSnapshot;
  readonly head: () => SaltedVersion;
  readonly submit: <T>(work: () => T) => Promise<T>;
};

export class RealmFills {
  readonly #place: FillPlace;
  /** By file ident. */
  readonly #own = new Map<number, { readonly filledFrom: number; readonly objects: OwnObjects }>();

  constructor(place: FillPlace) {
    this.#place = place;
  }

  /** The next portion of the state for a client whose cursor lies before what the history still has. */
  async download({ ident }: ClientFile, cursor: DownloadCursor, softLimit: number): Promise<DownloadBatch> {
    const { realm, resources, head } = this.#place;
    const { fills } = resources;
    const fill = fills.at(realm, ident, cursor.serverVersion) ?? (await this.#start(ident, cursor));
    const { entries, reached } = fill.next(softLimit);
    if (reached === fill.version) fills.close(realm, ident);
    const { clientVersion, reciprocalBase } = this.#load(ident);
    return {
      entries,
      cursor: { serverVersion: reached, clientVersion: fill.clientVersion },
      latest: head(),
      uploadCursor: { clientVersion, serverVersion: reciprocalBase },
      downloadableBytes: fill.expectedBytes,
    };
  }

  /** How an upload is merged and applied: what was made before the client had the state is a case of its own. */
  forUpload(
    change: RealmChange,
    base: HistoryBase,
    head: HistoryHead,
    ident: number,
    upload: Upload,
  ): { readonly apply?: EntryApplication; readonly filledFrom?: number } {
    if (base.version === 0 || upload.entries.length === 0) return {};
    const file = change.clientFiles.load(change.realm, ident);
    const first = upload.entries.find(({ clientVersion }) => clientVersion > (file?.clientVersion ?? 0));
    if (file === undefined || first === undefined) return {};
    let { filledFrom } = file;
    const firstFilledFrom = file.firstFilledFrom ?? head.version;
    if (filledFrom === undefined) {
      if (first.serverVersion >= base.version) return {};
      // Uploading before anything was downloaded: the state to come is at least this one.
      filledFrom = head.version;
      change.clientFiles.setFilled(change.realm, ident, filledFrom);
    }
    if (first.serverVersion >= filledFrom) {
      this.#own.delete(ident);
      return {};
    }
    return {
      apply: applyPrefilled(
        change,
        head,
        { filledFrom, firstFilledFrom },
        this.#ownObjects(ident, filledFrom),
      ),
      filledFrom,
    };
  }

  /** Call it when a change was rolled back: what was remembered of it did not happen. */
  forget(): void {
    this.#own.clear();
  }

  async #start(ident: number, cursor: DownloadCursor): Promise<StateFill> {
    const { realm, resources, snapshot: takeSnapshot, submit } = this.#place;
    const { clientFiles, fills } = resources;
    for (;;) {
      const snapshot = takeSnapshot();
      let isKept = false;
      try {
        const { filledFrom, firstFilledFrom, clientVersion } = this.#load(ident);
        if (filledFrom === undefined && cursor.serverVersion > 0) {
          throw new HistoryError(222, `the history after version ${cursor.serverVersion} was trimmed`);
        }
        const { version } = snapshot.head;
        const stale = firstFilledFrom === undefined ? undefined : this.#touchedAfter(firstFilledFrom);
        const expectedBytes = resources.history.head(realm).cumulativeSize;
        const start = { version, after: cursor.serverVersion, clientVersion, stale, expectedBytes };
        const fill = new StateFill(snapshot, start);
        const isMarked = await submit(() => {
          // An upload in between was merged from another version on, and is not in this state.
          const present = this.#load(ident);
          if (present.filledFrom !== filledFrom || present.clientVersion !== clientVersion) return false;
          clientFiles.setFilled(realm, ident, version);
          return true;
        });
        if (!isMarked) continue;
        fills.open(realm, ident, fill, snapshot);
        isKept = true;
        return fill;
      } finally {
        if (!isKept) snapshot.close();
      }
    }
  }

  #load(ident: number): ClientFile {
    const { realm, resources } = this.#place;
    const file = resources.clientFiles.load(realm, ident);
    if (file === undefined) throw new HistoryError(208, `client file ident ${ident} is unknown`);
    return file;
  }

  #ownObjects(ident: number, filledFrom: number): OwnObjects {
    let own = this.#own.get(ident);
    if (own?.filledFrom !== filledFrom) {
      if (this.#own.size >= MAX_REMEMBERED) this.#own.clear();
      own = { filledFrom, objects: new Set() };
      this.#own.set(ident, own);
    }
    return own.objects;
  }

  /** Objects that entries after a version name. Throws when the schema lost something since. */
  #touchedAfter(after: number): ObjectKeys {
    const { realm, resources } = this.#place;
    const touched = new Map<string, Map<string, PrimaryKey>>();
    let entry = resources.history.nextEntry(realm, after);
    for (; entry !== undefined; entry = resources.history.nextEntry(realm, entry.version)) {
      for (const instruction of decodeChangeset(entry.changeset).instructions) {
        if (instruction.op === 'EraseTable' || instruction.op === 'EraseColumn') {
          throw new HistoryError(222, `${instruction.table} changed while the client was sent the state`);
        }
        if (!('key' in instruction)) continue;
        const { table, key } = instruction;
        let ofClass = touched.get(table);
        if (ofClass === undefined) {
          ofClass = new Map();
          touched.set(table, ofClass);
        }
        ofClass.set(keyToken(key), key);
      }
    }
    return touched;
  }
}
