/** What a server reads (wire-protocol.md §3). */
import { HeadReader } from './head-reader.ts';
import type { Body, ClientMessage, SyncMode } from './messages.ts';
import { ProtocolError } from './protocol-error.ts';

export type MessageLimits = {
  /** Bytes of an uncompressed body. */
  readonly maxBodySize: number;
};

/** Without compression, what an announced body may hold at most: the protocol's own limit for one message. */
export const DEFAULT_MAX_BODY_SIZE = 64 * 1024 * 1024;

const MAX_PATH_BYTES = 16 * 1024;
const MAX_TOKEN_BYTES = 16 * 1024;

/** Throws `ProtocolError` on anything but exactly one well-formed message. Keeps views of `frame`. */
export function parseClientMessage(
  frame: Uint8Array,
  mode: SyncMode,
  limits: MessageLimits = { maxBodySize: DEFAULT_MAX_BODY_SIZE },
): ClientMessage {
  const head = new HeadReader(frame);
  const message = parse(head, mode, limits);
  head.end();
  return message;
}

function parse(head: HeadReader, mode: SyncMode, limits: MessageLimits): ClientMessage {
  const { type } = head;
  switch (type) {
    case 'bind':
      return parseBind(head);
    case 'ident':
      return parseIdent(head, mode, limits);
    case 'query': {
      if (mode !== 'flx') throw new ProtocolError(102, 'a query on a connection of partition sync');
      const session = sessionOf(head);
      const version = head.number('query version');
      return { type, session, version, text: head.text(bounded(head.number('query size'), limits)) };
    }
    case 'upload':
      return parseUpload(head, limits);
    case 'mark':
      return {
        type,
        session: sessionOf(head),
        request: positive(head.number('request ident'), 'request ident'),
      };
    case 'unbind':
      return { type, session: sessionOf(head) };
    case 'json_error': {
      const errorCode = head.number('error code');
      const size = bounded(head.number('body size'), limits);
      return { type, errorCode, session: sessionOf(head), json: head.text(size) };
    }
    case 'test_command': {
      const session = sessionOf(head);
      const request = head.number('request ident');
      return { type, session, request, json: head.text(bounded(head.number('body size'), limits)) };
    }
    case 'ping':
      return { type, timestamp: head.number('timestamp'), roundTrip: head.number('round trip') };
    default:
      throw new ProtocolError(102, `unknown message type ${JSON.stringify(type.slice(0, 40))}`);
  }
}

function parseBind(head: HeadReader): ClientMessage {
  const session = sessionOf(head);
  const pathSize = head.number('path size');
  const tokenSize = head.number('token size');
  const needFileIdent = head.boolean('need file ident');
  const isSubserver = head.boolean('is subserver');
  if (pathSize > MAX_PATH_BYTES || tokenSize > MAX_TOKEN_BYTES) {
    throw new ProtocolError(103, 'bind: path or token is too long');
  }
  const path = head.text(pathSize);
  return { type: 'bind', session, path, token: head.text(tokenSize), needFileIdent, isSubserver };
}

function parseIdent(head: HeadReader, mode: SyncMode, limits: MessageLimits): ClientMessage {
  const message = {
    type: 'ident',
    session: sessionOf(head),
    fileIdent: head.number('client file ident'),
    fileIdentSalt: head.bigint('client file ident salt'),
    downloadServerVersion: head.number('download server version'),
    downloadClientVersion: head.number('download client version'),
    latestServerVersion: head.number('latest server version'),
    latestServerVersionSalt: head.bigint('latest server version salt'),
  } as const;
  if (mode === 'pbs') return message;
  const version = head.number('query version');
  return { ...message, query: { version, text: head.text(bounded(head.number('query size'), limits)) } };
}

function parseUpload(head: HeadReader, limits: MessageLimits): ClientMessage {
  const session = sessionOf(head);
  const compressed = head.boolean('is body compressed');
  const size = bounded(head.number('uncompressed body size'), limits);
  const compressedSize = bounded(head.number('compressed body size'), limits);
  const progressClientVersion = head.number('progress client version');
  const progressServerVersion = head.number('progress server version');
  const lockedServerVersion = head.number('locked server version');
  const body: Body = { bytes: head.bytes(compressed ? compressedSize : size), compressed, size };
  return { type: 'upload', session, body, progressClientVersion, progressServerVersion, lockedServerVersion };
}

function sessionOf(head: HeadReader): number {
  return positive(head.number('session ident'), 'session ident');
}

function positive(value: number, name: string): number {
  if (value > 0) return value;
  throw new ProtocolError(103, `${name} must not be 0`);
}

function bounded(size: number, { maxBodySize }: MessageLimits): number {
  if (size <= maxBodySize) return size;
  throw new ProtocolError(103, `a body of ${size} bytes is announced; at most ${maxBodySize} are taken`);
}
