/**
 * What has happened for one client since a version: in its view, and to what it wrote itself. Corrections that it may not
 * have integrated are found once in a session.
 */
import type { DownloadCursor, DownloadEntry } from '../../store/server/contract.ts';
import type { Correction } from '../../store/server/flexible-contract.ts';
import { type ClientDelta, clientEntries, clientEntrySteps } from '../flexible/client-delta.ts';
import type { SharedDelta } from '../flexible/delta.ts';
import type { Steps } from '../flexible/steps.ts';
import type { View } from '../flexible/view.ts';
import type { Transfer } from './bootstraps.ts';
import type { CatchUpOptions } from './catch-ups.ts';
import { entriesBody } from './flexible-messages.ts';
import type { FlexibleRealm } from './flexible-realm.ts';
import type { News } from './flexible-teller.ts';

/** The origin of no entry: 0 is that of what the server writes itself (spec/server-history.md §2.3). */
const NOBODY = -1;
/** The server's file ident in downloads. */
const SERVER = 1;

const NO_NEWS: News = { entries: [], body: () => entriesBody([]) };
const NO_CORRECTIONS: readonly Correction[] = [];

/** News up to the cursor, with what the client has to be told of its own writes before them. */
export type FoundNews = News & {
  readonly cursor: DownloadCursor;
  readonly corrections: readonly Correction[];
  /** Something of it is made up. */
  readonly isSynthetic: boolean;
};

type Found = {
  readonly delta: SharedDelta;
  readonly sent: ClientDelta;
  readonly corrections: readonly Correction[];
};

export class ViewNews {
  readonly #shared: FlexibleRealm;
  readonly #fileIdent: number;
  /** Corrections after this version were not found in this session. */
  #correctedUpTo: number;
  /** Uploads that are being integrated, and whether there may be corrections of earlier ones. */
  #integrating = 0;
  #mayHaveCorrections = true;

  constructor(shared: FlexibleRealm, fileIdent: number, after: number) {
    this.#shared = shared;
    this.#fileIdent = fileIdent;
    this.#correctedUpTo = after;
  }

  get isIntegrating(): boolean {
    return this.#integrating > 0;
  }

  uploading(): void {
    this.#integrating += 1;
    this.#mayHaveCorrections = true;
  }

  uploadEnded(): void {
    this.#integrating -= 1;
  }

  /** All up to the realm's head. */
  look(view: View, cursor: DownloadCursor): FoundNews {
    const { realm, deltas } = this.#shared;
    const { version } = realm.head;
    const corrections = this.#mayHaveCorrections
      ? realm.flexible.corrections(this.#fileIdent, this.#correctedUpTo)
      : NO_CORRECTIONS;
    this.#correctedUpTo = version;
    if (!this.isIntegrating) this.#mayHaveCorrections = false;
    if (version === cursor.serverVersion && corrections.length === 0) {
      return { ...NO_NEWS, cursor, corrections, isSynthetic: false };
    }
    const delta = deltas.get(view, cursor.serverVersion);
    const sent = clientEntries(delta, { fileIdent: this.#fileIdent, cursor, corrections });
    return this.#news({ delta, sent, corrections }, cursor);
  }

  /**
   * The same up to a version of before, when so much has happened that others would have to wait for it. Counts as found
   * when it is {@link taken}.
   */
  async catchUp(
    view: View,
    cursor: DownloadCursor,
    { began, isGone }: Pick<CatchUpOptions<unknown>, 'began' | 'isGone'>,
  ): Promise<FoundNews> {
    const found = await this.#shared.catchUps.find({
      view,
      after: cursor.serverVersion,
      began,
      forClient: (delta) => this.#forClient(delta, cursor),
      isGone,
    });
    return this.#news(found, cursor);
  }

  taken({ cursor }: FoundNews): void {
    this.#correctedUpTo = cursor.serverVersion;
  }

  /** What has happened in a view since a bootstrap was made, as a part of the bootstrap for a late-comer. */
  tail(view: View, { madeAt, version }: Transfer, clientVersion: number): readonly DownloadEntry[] {
    if (madeAt === version.version) return [];
    const delta = this.#shared.deltas.get(view, madeAt);
    const cursor = { serverVersion: madeAt, clientVersion };
    // With what the client did itself: nothing of it is left there under the old view.
    const { entries } = clientEntries(delta, { fileIdent: NOBODY, cursor, corrections: [] });
    // One bootstrap, one version: what comes before this in it is at the head already. Nobody is sent entries of its own.
    return entries.map((entry) => ({
      ...entry,
      serverVersion: version.version,
      clientVersion,
      originFileIdent: entry.originFileIdent === this.#fileIdent ? SERVER : entry.originFileIdent,
    }));
  }

  *#forClient(delta: SharedDelta, cursor: DownloadCursor): Steps<Found> {
    const all = this.#shared.realm.flexible.corrections(this.#fileIdent, this.#correctedUpTo);
    const corrections = all.filter(({ version }) => version <= delta.upTo);
    const sent = yield* clientEntrySteps(delta, { fileIdent: this.#fileIdent, cursor, corrections });
    return { delta, sent, corrections };
  }

  #news({ delta, sent, corrections }: Found, { clientVersion }: DownloadCursor): FoundNews {
    const { entries, cursor, synthetic: isSynthetic } = sent;
    const rest = { cursor, corrections, isSynthetic };
    if (entries.length === 0) return { ...NO_NEWS, ...rest };
    // Clients without anything of their own in between share the bytes, too.
    const isShared = corrections.length === 0 && cursor.clientVersion === clientVersion;
    const { deltas } = this.#shared;
    const body: News['body'] = () =>
      isShared ? deltas.body(delta, clientVersion, entries) : entriesBody(entries);
    return { entries, body, ...rest };
  }
}
