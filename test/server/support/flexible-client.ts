/**
 * A client of flexible sync for one session: holds what it was sent, applies it, and checks of every DOWNLOAD what the
 * SDK's client checks (spec/wire-protocol.md §4.1, §6.2), which closes the connection when a rule is broken. It has no
 * merge: who writes through it does so when everything has arrived.
 */
import { inflateSync } from 'node:zlib';
import { decodeChangeset, encodeChangeset } from '../../../src/changeset/codec.ts';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { formatUploadBody, parseDownloadBody } from '../../../src/protocol/entry-bodies.ts';
import type { PrimaryKey, ScalarValue } from '../../../src/schema/value.ts';
import { applyInstructions } from '../../../src/store/state/apply.ts';
import { MemoryView } from '../../../src/store/state/view.ts';
import { type Frame, RawClient, type RawClientOptions } from './raw-client.ts';

export type FlexibleDownload = {
  readonly serverVersion: number;
  readonly clientVersion: number;
  readonly latest: number;
  readonly salt: string;
  readonly uploadClientVersion: number;
  readonly uploadServerVersion: number;
  readonly queryVersion: number;
  readonly state: number;
  readonly progress: string;
  readonly entries: ReturnType<typeof parseDownloadBody>;
};

/** What a client file keeps over a disconnection. */
export type KeptFile = {
  readonly ident: string;
  readonly salt: string;
  readonly serverVersion: number;
  readonly clientVersion: number;
  readonly latest: number;
  readonly latestSalt: string;
  readonly uploadClientVersion: number;
  readonly queryVersion: number;
  readonly query: string;
};

export function flexibleProtocols(newest = 14): string[] {
  return Array.from({ length: newest - 1 }, (_, index) => `com.mongodb.realm-query-sync#${newest - index}`);
}

export const EMPTY_FILE: KeptFile = {
  ident: '0',
  salt: '0',
  serverVersion: 0,
  clientVersion: 0,
  latest: 0,
  latestSalt: '0',
  uploadClientVersion: 0,
  queryVersion: 0,
  query: '{}',
};

export class FlexibleClient {
  readonly raw: RawClient;
  readonly session: number;
  /** What the client holds. */
  readonly view: MemoryView;
  /** JSON_ERRORs of compensating writes, in order. */
  readonly rejections: Record<string, unknown>[] = [];
  /** Every DOWNLOAD. */
  readonly downloads: FlexibleDownload[] = [];
  file: KeptFile;
  /** Newest version of the client's own history. */
  clientVersion: number;
  #pending: ReturnType<typeof parseDownloadBody> = [];
  #current: Pick<
    FlexibleDownload,
    'serverVersion' | 'clientVersion' | 'latest' | 'uploadClientVersion' | 'uploadServerVersion'
  >;

  private constructor(raw: RawClient, session: number, file: KeptFile, view: MemoryView) {
    this.raw = raw;
    this.session = session;
    this.file = file;
    this.view = view;
    this.clientVersion = Math.max(file.uploadClientVersion, 1);
    this.#current = { ...file, uploadServerVersion: 0 };
  }

  static async connect(
    options: RawClientOptions & {
      readonly session?: number;
      readonly file?: KeptFile;
      readonly view?: MemoryView;
      readonly version?: number;
      readonly raw?: RawClient;
    },
  ): Promise<FlexibleClient> {
    const { session = 1, file = EMPTY_FILE, view = new MemoryView(), version = 14 } = options;
    const raw =
      options.raw ?? (await RawClient.connect({ ...options, protocols: flexibleProtocols(version) }));
    return new FlexibleClient(raw, session, file, view);
  }

  /** BIND, and IDENT with the file's active subscriptions. */
  async bind(json = '{"schemaVersion":0,"sessionReason":0}'): Promise<void> {
    const isNew = this.file.ident === '0';
    this.raw.send(`bind ${this.session} ${Buffer.byteLength(json)} 0 ${isNew ? 1 : 0} 0`, json);
    if (isNew) {
      const [, , ident = '', salt = ''] = (await this.raw.next('ident')).fields;
      this.file = { ...this.file, ident, salt };
    }
    this.ident();
  }

  ident(): void {
    const { ident, salt, serverVersion, clientVersion, latest, latestSalt, queryVersion, query } = this.file;
    const cursors = `${serverVersion} ${clientVersion} ${latest} ${latestSalt}`;
    this.raw.send(
      `ident ${this.session} ${ident} ${salt} ${cursors} ${queryVersion} ${Buffer.byteLength(query)}`,
      query,
    );
  }

  /** A new client with the schema, bound, at query version 0. */
  static async start(
    options: RawClientOptions & { readonly session?: number; readonly version?: number },
  ): Promise<FlexibleClient> {
    const client = await FlexibleClient.connect(options);
    await client.bind();
    await client.bootstrap(0);
    return client;
  }

  sendQuery(version: number, queries: Readonly<Record<string, string>> | string): void {
    const text = typeof queries === 'string' ? queries : JSON.stringify(queries);
    this.raw.send(`query ${this.session} ${version} ${Buffer.byteLength(text)}`, text);
    this.#sent.set(version, text);
  }
  readonly #sent = new Map<number, string>();

  /** Changes the subscriptions and waits until they are complete. */
  async subscribe(version: number, queries: Readonly<Record<string, string>>): Promise<FlexibleDownload[]> {
    this.sendQuery(version, queries);
    return await this.bootstrap(version);
  }

  /** Takes DOWNLOADs up to the end of the bootstrap of a query version; returns those that belong to it. */
  async bootstrap(queryVersion: number): Promise<FlexibleDownload[]> {
    const parts: FlexibleDownload[] = [];
    for (;;) {
      const download = await this.nextDownload();
      if (download.state === 2) continue;
      if (download.queryVersion !== queryVersion) {
        throw new Error(`a bootstrap of ${download.queryVersion} instead of ${queryVersion}`);
      }
      parts.push(download);
      if (download.state === 1) return parts;
    }
  }

  /** The next DOWNLOAD; rejections that come before it are kept. */
  async nextDownload(): Promise<FlexibleDownload> {
    const frame = await this.raw.nextOfAny();
    if (frame.fields[0] === 'json_error' && frame.fields[1] === '231') {
      this.rejections.push(JSON.parse(frame.body.toString()));
      return await this.nextDownload();
    }
    if (frame.fields[0] !== 'download')
      throw new Error(`expected download, got "${frame.head}" ${frame.body}`);
    return this.take(frame);
  }

  /** Integrates a DOWNLOAD as the SDK's client does. */
  take(frame: Frame): FlexibleDownload {
    const download = parseDownload(frame);
    this.downloads.push(download);
    this.#check(download);
    if (download.state !== 2) {
      this.#pending.push(...download.entries);
      if (download.state === 0) return download;
      if (this.#pending.length === 0) throw new Error('a bootstrap without any entry');
    }
    const entries = download.state === 2 ? download.entries : this.#pending.splice(0);
    for (const { changeset } of entries) {
      applyInstructions(this.view, decodeChangeset(changeset).instructions);
    }
    this.#advance(download);
    return download;
  }

  /** A MARK round trip: everything before it has arrived. */
  async settle(): Promise<void> {
    this.#marks += 1;
    this.raw.send(`mark ${this.session} ${this.#marks}`);
    for (;;) {
      const frame = await this.raw.nextOfAny();
      if (frame.fields[0] === 'mark') {
        if (Number(frame.fields[2]) === this.#marks) return;
      } else if (frame.fields[0] === 'download') this.take(frame);
      else if (frame.fields[1] === '231') this.rejections.push(JSON.parse(frame.body.toString()));
      else throw new Error(`expected mark, got "${frame.head}" ${frame.body}`);
    }
  }
  #marks = 0;

  /** Uploads one changeset, which is applied here at once. */
  upload(instructions: readonly Instruction[]): void {
    this.clientVersion += 1;
    const base = this.#current.serverVersion;
    applyInstructions(this.view, instructions);
    const body = formatUploadBody([
      {
        clientVersion: this.clientVersion,
        serverVersion: base,
        timestamp: 375_167_540_201 + this.clientVersion,
        originFileIdent: 0,
        changeset: encodeChangeset(instructions),
      },
    ]);
    const head = `upload ${this.session} 0 ${body.length} 0 ${this.clientVersion} ${base} ${base}`;
    this.raw.send(head, body);
  }

  /** Waits until what was uploaded is acknowledged. */
  async acknowledged(): Promise<void> {
    while (this.#current.uploadClientVersion < this.clientVersion) await this.nextDownload();
  }

  /** The keys of a class as texts, sorted. */
  keys(table: string): string[] {
    return [...this.view.objects(table)]
      .map(({ key }) => ('value' in key ? String(key.value) : key.type))
      .sort();
  }

  field(table: string, key: PrimaryKey, field: string): unknown {
    const value = this.view.object(table, key)?.fields.get(field);
    return value !== undefined && 'value' in value ? value.value : value?.type;
  }

  #check(download: FlexibleDownload): void {
    const { entries, ...head } = download;
    const current = this.#current;
    const wrong = (rule: string): never => {
      throw new Error(`${rule}: ${JSON.stringify(current)} then ${JSON.stringify(head)}`);
    };
    if (head.latest < current.latest) wrong('the latest version went back');
    if (head.uploadClientVersion < current.uploadClientVersion) wrong('the upload cursor went back');
    if (head.uploadClientVersion > this.clientVersion) wrong('uploads are acknowledged that were not made');
    if (head.serverVersion < current.serverVersion) wrong('the cursor went back');
    if (head.serverVersion > head.latest) wrong('the cursor is beyond the latest version');
    if (head.clientVersion < current.clientVersion) wrong('the client version went back');
    if (head.clientVersion > head.uploadClientVersion) wrong('more is seen than integrated');
    if (head.serverVersion < head.uploadServerVersion) wrong('the upload cursor is ahead');
    if (![0, 1, 2].includes(head.state)) wrong('bad batch state');
    if (!/^(0\.\d{1,6}|1\.0)$/.test(head.progress)) wrong('bad progress');
    let { serverVersion, clientVersion } = current;
    for (const entry of entries) {
      if (entry.serverVersion === 0 || entry.serverVersion < serverVersion) wrong('entry out of order');
      if (entry.serverVersion > head.serverVersion) wrong('an entry beyond the cursor');
      if (entry.clientVersion < clientVersion) wrong('client version of an entry went back');
      if (entry.clientVersion > head.clientVersion) wrong('client version of an entry beyond the cursor');
      if (entry.originFileIdent === 0 || String(entry.originFileIdent) === this.file.ident)
        wrong('bad origin');
      ({ serverVersion, clientVersion } = entry);
    }
  }

  #advance(download: FlexibleDownload): void {
    const { serverVersion, clientVersion, latest, salt, uploadClientVersion, queryVersion } = download;
    this.#current = download;
    const query = this.#sent.get(queryVersion) ?? this.file.query;
    this.file = {
      ...this.file,
      serverVersion,
      clientVersion,
      latest,
      latestSalt: salt,
      uploadClientVersion,
      ...(download.state === 1 && { queryVersion, query }),
    };
  }
}

export function parseDownload({ fields, body }: Frame): FlexibleDownload {
  const number = (index: number): number => Number(fields[index]);
  if (fields.length !== 14) throw new Error(`not a download of flexible sync: ${fields.join(' ')}`);
  return {
    serverVersion: number(2),
    clientVersion: number(3),
    latest: number(4),
    salt: fields[5] ?? '',
    uploadClientVersion: number(6),
    uploadServerVersion: number(7),
    queryVersion: number(8),
    state: number(9),
    progress: fields[10] ?? '',
    entries: parseDownloadBody(fields[11] === '1' ? inflateSync(body) : body),
  };
}

export const int = (value: number): PrimaryKey & ScalarValue => ({ type: 'int', value: BigInt(value) });
export const string = (value: string): ScalarValue => ({ type: 'string', value });

/** Class T with the key `_id`, a text `s` and a number `n`. */
export const T_SCHEMA: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: 'T',
    kind: 'topLevel',
    primaryKey: { field: '_id', type: 'int', nullable: false },
  },
  {
    op: 'AddColumn',
    table: 'T',
    field: 's',
    column: { type: 'string', nullable: true, collection: 'single' },
  },
  { op: 'AddColumn', table: 'T', field: 'n', column: { type: 'int', nullable: true, collection: 'single' } },
];

export const create = (id: number, table = 'T'): Instruction => ({ op: 'CreateObject', table, key: int(id) });
export const erase = (id: number, table = 'T'): Instruction => ({ op: 'EraseObject', table, key: int(id) });
export const set = (id: number, field: string, value: ScalarValue, table = 'T'): Instruction => ({
  op: 'Update',
  table,
  key: int(id),
  field,
  path: [],
  value,
  isDefault: false,
});
