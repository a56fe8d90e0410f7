/**
 * Flexible sync: the client holds what its subscriptions and its user's rights let it see of one realm
 * (spec/wire-protocol.md §6.5, spec/server-history.md §7).
 *
 * Uploads are judged by the subscriptions that the client had sent before them: a client sends what it wrote under its
 * old subscriptions before it sends QUERY.
 */
import type { ServerRealm, Upload } from '../../store/server/contract.ts';
import type { FlexibleJudge } from '../../store/server/flexible-contract.ts';
import type { ChangeWindow } from '../../store/server/snapshot-contract.ts';
import { createJudge } from '../flexible/judge.ts';
import { compileView, parseQueries, restoreView, type View } from '../flexible/view.ts';
import type { FlexibleRules, RuleUser } from '../rules/contract.ts';
import type { FlexibleRealm } from './flexible-realm.ts';
import { FlexibleStream, type ViewChange } from './flexible-stream.ts';
import { SERVER_BOOTSTRAPS_SINCE } from './flexible-teller.ts';
import {
  formatHeldViews,
  type HeldView,
  heldAt,
  parseHeldViews,
  sameQueries,
  withoutLost,
} from './held-views.ts';
import type { IdentifiedFile, ModeSession, SessionPort } from './mode-session.ts';
import { queryFault } from './query-fault.ts';
import { ConnectionError, SessionError } from './sync-error.ts';
import { UploadApplier } from './upload-applier.ts';

export type FlexibleSessionOptions = {
  readonly shared: FlexibleRealm;
  readonly rules: FlexibleRules;
  /** What the rules know of the user at this moment. */
  readonly ruleUser: () => RuleUser;
  readonly port: SessionPort;
};

/** A subscription set as the client sent it. */
type Subscriptions = { readonly version: number; readonly queries: ReadonlyMap<string, string> };

type Live = {
  readonly fileIdent: number;
  readonly stream: FlexibleStream;
  readonly applier: UploadApplier;
  readonly judge: FlexibleJudge;
  /** The newest set that could be understood, and what it shows: by it uploads are judged. */
  subscriptions: Subscriptions;
  view: View;
  /** The newest version that was sent, understood or not. */
  newestVersion: number;
};

export class FlexibleSession implements ModeSession {
  readonly #shared: FlexibleRealm;
  readonly #rules: FlexibleRules;
  readonly #ruleUser: () => RuleUser;
  readonly #port: SessionPort;
  #user: RuleUser;
  #bound: Live | undefined;
  #isStopped = false;
  /** Of the upload that is being integrated. */
  #window: ChangeWindow | undefined;

  constructor({ shared, rules, ruleUser, port }: FlexibleSessionOptions) {
    this.#shared = shared;
    this.#rules = rules;
    this.#ruleUser = ruleUser;
    this.#port = port;
    this.#user = ruleUser();
  }

  get realm(): ServerRealm {
    return this.#shared.realm;
  }

  async bind(file: IdentifiedFile): Promise<void> {
    const { fileIdent, download, uploadCursor, lockedServerVersion, query } = file;
    if (query === undefined) throw new ConnectionError(109, 'IDENT came without subscriptions');
    const subscriptions = orBadQuery(() => understood(query.version, query.text));
    const held = await this.#held(fileIdent, subscriptions, download.serverVersion);
    if (this.#isStopped) return;
    // From here on in one step: other rights are noticed by what is bound.
    const view = orBadQuery(() => this.#compile(subscriptions, 'empty'));
    const start = this.#start(subscriptions, view, held, download.serverVersion);
    const stream = new FlexibleStream({
      shared: this.#shared,
      port: this.#port,
      fileIdent,
      cursor: download,
      upload: uploadCursor,
      view: start.view,
      queryVersion: query.version,
      held: start.held,
    });
    const judge = this.#judge(stream, fileIdent);
    const applier = new UploadApplier({
      integrate: (upload) => this.#integrate(upload),
      threshold: uploadCursor,
      lockedServerVersion,
      sliceSize: this.#port.limits.integratedTogether,
      downloadedVersion: () => stream.told,
    });
    this.#bound = {
      fileIdent,
      stream,
      applier,
      judge,
      subscriptions,
      view,
      newestVersion: query.version,
    };
    if (start.change === undefined) stream.wake();
    else stream.change(start.change);
  }

  accept(upload: Upload): Upload {
    return this.#live.applier.accept(upload);
  }

  async integrate(uploads: readonly Upload[]): Promise<void> {
    const { stream, applier } = this.#live;
    stream.uploading();
    try {
      await applier.integrate(uploads);
    } finally {
      stream.uploadEnded();
    }
  }

  mark(request: number): void {
    this.#live.stream.requestMark(request);
  }

  query(version: number, text: string): void {
    const live = this.#live;
    if (version <= live.newestVersion) {
      throw new ConnectionError(109, `QUERY version ${version} follows ${live.newestVersion}`);
    }
    live.newestVersion = version;
    let subscriptions: Subscriptions;
    let view: View;
    try {
      subscriptions = understood(version, text);
      view = this.#compile(subscriptions, 'refused');
    } catch (error) {
      this.#refuseQuery(version, error);
      return;
    }
    live.subscriptions = subscriptions;
    live.view = view;
    live.stream.change(changeTo(subscriptions, view));
  }

  /** Other rights make another view of the same subscriptions. */
  review(): void {
    this.#user = this.#ruleUser();
    const live = this.#bound;
    if (live === undefined) return;
    const view = orBadQuery(() => this.#compile(live.subscriptions, 'empty'));
    live.view = view;
    if (view.description === live.stream.target.description) return;
    if (!live.stream.isToBegin) this.#requireServerBootstraps();
    live.stream.change(changeTo(live.subscriptions, view));
  }

  stop(): void {
    this.#isStopped = true;
    this.#bound?.stream.stop();
  }

  get #live(): Live {
    if (this.#bound === undefined) throw new Error('a session is used before it is bound');
    return this.#bound;
  }

  /** The records of what the client holds, without those that it did not integrate. */
  async #held(fileIdent: number, { queries }: Subscriptions, cursor: number): Promise<readonly HeldView[]> {
    const kept = parseHeldViews(this.realm.flexible.view(fileIdent));
    const held = withoutLost(kept, sameQueries(queries), cursor);
    if (held.length < kept.length) await this.realm.flexible.setView(fileIdent, formatHeldViews(held));
    return held;
  }

  /** What the client holds, and what it has to be brought to. */
  #start(
    subscriptions: Subscriptions,
    view: View,
    all: readonly HeldView[],
    cursor: number,
  ): { readonly view: View; readonly held: readonly HeldView[]; readonly change?: ViewChange } {
    const nothing = compileView({
      queries: new Map(),
      rules: this.#rules,
      user: this.#user,
      schema: this.realm.schema,
    });
    const change = changeTo(subscriptions, view, cursor === 0);
    if (cursor > 0 && cursor < this.realm.now.oldest) {
      throw new SessionError(222, `version ${cursor} is older than anything the server knows`);
    }
    // Without subscriptions nothing is held, and the first set, which is empty, is waited for.
    if (subscriptions.version === 0)
      return { view: nothing, held: [], change: { ...change, includeSchema: true } };
    if (subscriptions.queries.size === 0) return { view, held: [] };
    const held = cursor === 0 ? undefined : heldAt(all, change.queries, cursor);
    if (held !== undefined && held.view === view.description) return { view, held: [held] };
    if (held === undefined && cursor > 0) {
      throw new SessionError(217, 'the server does not know what this client file holds');
    }
    this.#requireServerBootstraps();
    if (held === undefined) return { view: nothing, held: [], change };
    return { view: this.#restore(held), held: [held], change };
  }

  #restore(held: HeldView): View {
    try {
      return restoreView(held.view, this.realm.schema);
    } catch (error) {
      throw new SessionError(217, 'what this client file holds cannot be told any more', error);
    }
  }

  #requireServerBootstraps(): void {
    if (this.#port.version >= SERVER_BOOTSTRAPS_SINCE) return;
    throw new SessionError(228, 'the rights of the user have changed, so that other objects are to be seen');
  }

  /** What was asked under other rights is no mistake of the client's. */
  #compile({ queries }: Subscriptions, hidden: 'refused' | 'empty'): View {
    const { schema } = this.realm;
    return compileView({ queries, rules: this.#rules, user: this.#user, schema, hidden });
  }

  /** The set gets the state Error; the client goes on with what it had (spec/wire-protocol.md §4.4). */
  #refuseQuery(queryVersion: number, error: unknown): void {
    const message = queryFault(error);
    if (message === undefined) throw error;
    this.#port.send({
      type: 'query_error',
      session: this.#port.session,
      errorCode: 226,
      queryVersion,
      message,
    });
  }

  async #integrate(upload: Upload): Promise<void> {
    const { fileIdent, judge, stream } = this.#live;
    this.#window = undefined;
    await this.realm.integrateFlexible(fileIdent, upload, judge);
    stream.uploaded(upload.progress, upload.entries.length > 0);
  }

  #judge(stream: FlexibleStream, fileIdent: number): FlexibleJudge {
    return createJudge({
      view: () => this.#live.view,
      access: (table) => this.#rules.access(this.#user, table, this.realm.schema),
      schemaMayGrow: this.#user.isAdmin || this.#rules.schemaMayGrow,
      transferVersion: () => stream.transferVersion,
      // Those that the client has integrated are gone.
      corrections: (after) => this.realm.flexible.corrections(fileIdent, after),
      touchedSince: (table, key, version) => this.#windowAfter(version)?.isTouched(table, key) === true,
    });
  }

  /** What happened since a version that a changeset builds on; the changesets of one upload mostly share it. */
  #windowAfter(version: number): ChangeWindow | undefined {
    if (this.#window?.after === version) return this.#window;
    const { now } = this.realm;
    this.#window = version < now.oldest || version > now.head.version ? undefined : now.window(version);
    return this.#window;
  }
}

/** The active subscriptions of the client were good once; when they are not, there is nothing to serve (226). */
function orBadQuery<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const fault = queryFault(error);
    throw fault === undefined ? error : new SessionError(226, fault, error);
  }
}

/** Throws what {@link queryFault} knows for a set that is none. */
function understood(version: number, text: string): Subscriptions {
  return { version, queries: parseQueries(text) };
}

function changeTo({ version, queries }: Subscriptions, to: View, includeSchema = false): ViewChange {
  return { to, queryVersion: version, queries: sameQueries(queries), includeSchema };
}
