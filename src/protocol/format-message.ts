/** Writes messages of both directions as frames (wire-protocol.md §3, §4). */
import type { ClientMessage, Download, ServerMessage } from './messages.ts';

export function formatClientMessage(message: ClientMessage): Buffer {
  switch (message.type) {
    case 'bind': {
      const path = Buffer.from(message.path, 'utf8');
      const token = Buffer.from(message.token, 'utf8');
      const { session, needFileIdent, isSubserver } = message;
      return frame(
        ['bind', session, path.length, token.length, flag(needFileIdent), flag(isSubserver)],
        path,
        token,
      );
    }
    case 'ident': {
      const head = [
        'ident',
        message.session,
        message.fileIdent,
        message.fileIdentSalt,
        message.downloadServerVersion,
        message.downloadClientVersion,
        message.latestServerVersion,
        message.latestServerVersionSalt,
      ];
      if (message.query === undefined) return frame(head);
      const query = Buffer.from(message.query.text, 'utf8');
      return frame([...head, message.query.version, query.length], query);
    }
    case 'query': {
      const query = Buffer.from(message.text, 'utf8');
      return frame(['query', message.session, message.version, query.length], query);
    }
    case 'upload': {
      const { bytes, compressed, size } = message.body;
      const { session, progressClientVersion, progressServerVersion, lockedServerVersion } = message;
      const sizes = [flag(compressed), size, compressed ? bytes.byteLength : 0];
      const progress = [progressClientVersion, progressServerVersion, lockedServerVersion];
      return frame(['upload', session, ...sizes, ...progress], bytes);
    }
    case 'mark':
      return frame(['mark', message.session, message.request]);
    case 'unbind':
      return frame(['unbind', message.session]);
    case 'json_error': {
      const json = Buffer.from(message.json, 'utf8');
      return frame(['json_error', message.errorCode, json.length, message.session], json);
    }
    case 'test_command': {
      const json = Buffer.from(message.json, 'utf8');
      return frame(['test_command', message.session, message.request, json.length], json);
    }
    case 'ping':
      return frame(['ping', message.timestamp, message.roundTrip]);
  }
}

export function formatServerMessage(message: ServerMessage): Buffer {
  switch (message.type) {
    case 'ident':
      return frame(['ident', message.session, message.fileIdent, message.fileIdentSalt]);
    case 'download':
      return formatDownload(message);
    case 'mark':
      return frame(['mark', message.session, message.request]);
    case 'unbound':
      return frame(['unbound', message.session]);
    case 'error': {
      const text = Buffer.from(message.message, 'utf8');
      return frame(['error', message.errorCode, text.length, flag(message.tryAgain), message.session], text);
    }
    case 'json_error': {
      const json = Buffer.from(message.json, 'utf8');
      return frame(['json_error', message.errorCode, json.length, message.session], json);
    }
    case 'query_error': {
      const text = Buffer.from(message.message, 'utf8');
      return frame(
        ['query_error', message.errorCode, text.length, message.session, message.queryVersion],
        text,
      );
    }
    case 'log_message': {
      const json = Buffer.from(message.json, 'utf8');
      return frame(['log_message', message.session, json.length], json);
    }
    case 'test_command': {
      const text = Buffer.from(message.text, 'utf8');
      return frame(['test_command', message.session, message.request, text.length], text);
    }
    case 'pong':
      return frame(['pong', message.timestamp]);
  }
}

function formatDownload(message: Download): Buffer {
  const { bytes, compressed, size } = message.body;
  const { batch } = message;
  const middle =
    batch === undefined
      ? [message.downloadableBytes]
      : [batch.queryVersion, batch.state, estimate(batch.progress)];
  return frame(
    [
      'download',
      message.session,
      message.downloadServerVersion,
      message.downloadClientVersion,
      message.latestServerVersion,
      message.latestServerVersionSalt,
      message.uploadClientVersion,
      message.uploadServerVersion,
      ...middle,
      flag(compressed),
      size,
      compressed ? bytes.byteLength : 0,
    ],
    bytes,
  );
}

/** A decimal number that no reader takes for an integer or for a power: `0.5`, `1.0`. */
function estimate(progress: number): string {
  return Number.isInteger(progress) ? progress.toFixed(1) : String(Number(progress.toFixed(6)));
}

function flag(value: boolean): number {
  return value ? 1 : 0;
}

function frame(head: readonly (string | number | bigint)[], ...bodies: readonly Uint8Array[]): Buffer {
  const line = Buffer.from(`${head.join(' ')}\n`, 'latin1');
  return bodies.length === 0 ? line : Buffer.concat([line, ...bodies]);
}
