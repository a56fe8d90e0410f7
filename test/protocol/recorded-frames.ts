/** Every message of the recorded conversations, in whichever way its log writes it down. */
import { readFileSync } from 'node:fs';
import type { SyncMode } from '../../src/protocol/messages.ts';

export type RecordedFrame = {
  readonly from: 'client' | 'server';
  readonly mode: SyncMode;
  readonly bytes: Buffer;
};

type Parser = (line: string) => RecordedFrame | undefined;

const TRACES = '../vectors/traces/';
/** `count` is how many messages the file has: none may be overlooked. */
const RECORDINGS: readonly { file: string; count: number; parse: Parser }[] = [
  { file: `${TRACES}pbs-trace.txt`, count: 63, parse: proxied },
  { file: `${TRACES}flx-trace.txt`, count: 27, parse: mocked },
  { file: `${TRACES}two-clients-frames.log`, count: 53, parse: framed },
  { file: './probed-frames.txt', count: 37, parse: probed },
];

export const RECORDED_FILES: readonly (readonly [file: string, count: number])[] = RECORDINGS.map(
  ({ file, count }) => [file, count],
);

export function recordedFrames(name?: string): RecordedFrame[] {
  return RECORDINGS.filter(({ file }) => name === undefined || file === name).flatMap(({ file, parse }) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    return text.split('\n').flatMap((line) => parse(line) ?? []);
  });
}

/** `1 C>S op=82 'bind 1 3 0 1 0\n' + 2f7031` */
function proxied(line: string): ReturnType<Parser> {
  const match = /^\d+ ([CS])>[CS] op=82 '(.*)\\n'(?: \+ ([0-9a-f]*))?$/.exec(line);
  return match === null ? undefined : frame('pbs', match[1], match[2], Buffer.from(match[3] ?? '', 'hex'));
}

/** `c>s #1 "bind 1 2 0 1 0" +2f78` */
function framed(line: string): ReturnType<Parser> {
  const match = /^([cs])>[cs] #\d+ "(.*?)"(?: \+([0-9a-f]*))?$/.exec(line);
  return match === null ? undefined : frame('pbs', match[1], match[2], Buffer.from(match[3] ?? '', 'hex'));
}

/** `C>S 82 'mark 1 2' + ''`, the body with escapes as `\x00` */
function mocked(line: string): ReturnType<Parser> {
  const match = /^([CS])>[CS](?: 82)? '(.*?)' \+ '(.*)'$/.exec(line);
  return match === null ? undefined : frame('flx', match[1], match[2], unescaped(match[3] ?? ''));
}

/** `pbs client 6d…` */
function probed(line: string): ReturnType<Parser> {
  const match = /^(pbs|flx) (client|server) ([0-9a-f]+)$/.exec(line);
  if (match === null) return undefined;
  const [, mode, from, hex = ''] = match;
  return {
    mode: mode === 'flx' ? 'flx' : 'pbs',
    from: from === 'client' ? 'client' : 'server',
    bytes: Buffer.from(hex, 'hex'),
  };
}

function frame(mode: SyncMode, side = '', head = '', body: Uint8Array = Buffer.alloc(0)): RecordedFrame {
  const from = side.toLowerCase() === 'c' ? 'client' : 'server';
  return { mode, from, bytes: Buffer.concat([Buffer.from(`${head}\n`), body]) };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', "'": "'", '\\': '\\' };

function unescaped(text: string): Buffer {
  const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_match, hex: string | undefined, short: string) =>
    hex === undefined ? (ESCAPES[short] ?? short) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}
