/** What a client reads (wire-protocol.md §4). */
import { HeadReader } from './head-reader.ts';
import type { Download, ServerMessage, SyncMode } from './messages.ts';
import { DEFAULT_MAX_BODY_SIZE, type MessageLimits } from './parse-client-message.ts';
import { ProtocolError } from './protocol-error.ts';

/** Throws `ProtocolError` on anything but exactly one well-formed message. Keeps views of `frame`. */
export function parseServerMessage(
  frame: Uint8Array,
  mode: SyncMode,
  limits: MessageLimits = { maxBodySize: DEFAULT_MAX_BODY_SIZE },
): ServerMessage {
  const head = new HeadReader(frame);
  const message = parse(head, mode, limits);
  head.end();
  return message;
}

function parse(head: HeadReader, mode: SyncMode, limits: MessageLimits): ServerMessage {
  const { type } = head;
  switch (type) {
    case 'ident':
      return {
        type,
        session: head.number('session ident'),
        fileIdent: head.number('client file ident'),
        fileIdentSalt: head.bigint('client file ident salt'),
      };
    case 'download':
      return parseDownload(head, mode, limits);
    case 'mark':
      return { type, session: head.number('session ident'), request: head.number('request ident') };
    case 'unbound':
      return { type, session: head.number('session ident') };
    case 'error': {
      const errorCode = head.number('error code');
      const size = head.number('message size');
      const tryAgain = head.boolean('try again');
      return { type, errorCode, tryAgain, session: head.number('session ident'), message: head.text(size) };
    }
    case 'json_error': {
      const errorCode = head.number('error code');
      const size = head.number('body size');
      return { type, errorCode, session: head.number('session ident'), json: head.text(size) };
    }
    case 'query_error': {
      const errorCode = head.number('error code');
      const size = head.number('message size');
      const session = head.number('session ident');
      return {
        type,
        errorCode,
        session,
        queryVersion: head.number('query version'),
        message: head.text(size),
      };
    }
    case 'log_message': {
      const session = head.number('session ident');
      return { type, session, json: head.text(head.number('body size')) };
    }
    case 'test_command': {
      const session = head.number('session ident');
      const request = head.number('request ident');
      return { type, session, request, text: head.text(head.number('body size')) };
    }
    case 'pong':
      return { type, timestamp: head.number('timestamp') };
    default:
      throw new ProtocolError(102, `unknown message type ${JSON.stringify(type.slice(0, 40))}`);
  }
}

function parseDownload(head: HeadReader, mode: SyncMode, { maxBodySize }: MessageLimits): Download {
  const cursors = {
    type: 'download',
    session: head.number('session ident'),
    downloadServerVersion: head.number('download server version'),
    downloadClientVersion: head.number('download client version'),
    latestServerVersion: head.number('latest server version'),
    latestServerVersionSalt: head.bigint('latest server version salt'),
    uploadClientVersion: head.number('upload client version'),
    uploadServerVersion: head.number('upload server version'),
  } as const;
  const batch = mode === 'flx' ? parseBatch(head) : undefined;
  const downloadableBytes = mode === 'pbs' ? head.number('downloadable bytes') : 0;
  const compressed = head.boolean('is body compressed');
  const size = head.number('uncompressed size');
  const compressedSize = head.number('compressed size');
  if (size > maxBodySize || compressedSize > maxBodySize) {
    throw new ProtocolError(103, `a body of ${size} bytes is announced; at most ${maxBodySize} are taken`);
  }
  const body = { bytes: head.bytes(compressed ? compressedSize : size), compressed, size };
  return batch === undefined
    ? { ...cursors, downloadableBytes, body }
    : { ...cursors, downloadableBytes, batch, body };
}

function parseBatch(head: HeadReader): NonNullable<Download['batch']> {
  const queryVersion = head.number('query version');
  const state = head.number('batch state');
  if (state !== 0 && state !== 1 && state !== 2)
    throw new ProtocolError(103, `download: bad batch state ${state}`);
  return { queryVersion, state, progress: head.fraction('progress estimate') };
}
