/** Every message of the recorded conversations, in whichever way its log writes it down. */
import { readFileSync } from 'node:fs';
import type { SyncMode } from '../../src/protocol/messages.ts';

export type RecordedFrame = {
  readonly from: 'client' | 'server';
  readonly mode: SyncMode;
  readonly bytes: Buffer;
};

type Parser = (line: string, previous: string) => Omit<RecordedFrame, 'mode'> | undefined;

/** `count` is how many messages the log has: none may be overlooked. */
const RECORDINGS: readonly { file: string; count: number; mode: SyncMode; parse: Parser }[] = [
  { file: 'pbs-trace.txt', count: 63, mode: 'pbs', parse: proxied },
  { file: 'flx-trace.txt', count: 27, mode: 'flx', parse: mocked },
  { file: 'two-clients-frames.log', count: 53, mode: 'pbs', parse: framed },
  { file: 'probe-pbs-talk.log', count: 13, mode: 'pbs', parse: probed },
  { file: 'probe-pbs-silent.log', count: 1, mode: 'pbs', parse: probed },
  { file: 'probe-flx-talk.log', count: 21, mode: 'flx', parse: probed },
  { file: 'probe-flx-silent.log', count: 2, mode: 'flx', parse: probed },
];

export const RECORDED_FILES: readonly (readonly [file: string, count: number])[] = RECORDINGS.map(
  ({ file, count }) => [file, count],
);

export function recordedFrames(name?: string): RecordedFrame[] {
  return RECORDINGS.filter(({ file }) => name === undefined || file === name).flatMap(
    ({ file, mode, parse }) => {
      const text = readFileSync(new URL(`../vectors/traces/${file}`, import.meta.url), 'utf8');
      const lines = text.split('\n');
      return lines.flatMap((line, index) => {
        // A hex dump stands two lines below its title, the text between them.
        const frame = parse(line, lines[index - 2] ?? '');
        return frame === undefined ? [] : [{ ...frame, mode }];
      });
    },
  );
}

/** `1 C>S op=82 'bind 1 3 0 1 0\n' + 2f7031` */
function proxied(line: string): ReturnType<Parser> {
  const match = /^\d+ ([CS])>[CS] op=82 '(.*)\\n'(?: \+ ([0-9a-f]*))?$/.exec(line);
  return match === null ? undefined : frame(match[1], match[2], Buffer.from(match[3] ?? '', 'hex'));
}

/** `c>s #1 "bind 1 2 0 1 0" +2f78` */
function framed(line: string): ReturnType<Parser> {
  const match = /^([cs])>[cs] #\d+ "(.*?)"(?: \+([0-9a-f]*))?$/.exec(line);
  return match === null ? undefined : frame(match[1], match[2], Buffer.from(match[3] ?? '', 'hex'));
}

/** `C>S 82 'mark 1 2' + ''`, the body with escapes as `\x00` */
function mocked(line: string): ReturnType<Parser> {
  const match = /^([CS])>[CS](?: 82)? '(.*?)' \+ '(.*)'$/.exec(line);
  return match === null ? undefined : frame(match[1], match[2], unescaped(match[3] ?? ''));
}

/** `hex: 6d…` below `--- WS client->server (binary frame, 9 bytes)` */
function probed(line: string, title: string): ReturnType<Parser> {
  const match = /^--- WS (client|server)->/.exec(title);
  if (match === null || !line.startsWith('hex: ')) return undefined;
  return { from: match[1] === 'client' ? 'client' : 'server', bytes: Buffer.from(line.slice(5), 'hex') };
}

function frame(side: string | undefined, head = '', body: Uint8Array = Buffer.alloc(0)): ReturnType<Parser> {
  const from = side?.toLowerCase() === 'c' ? 'client' : 'server';
  return { from, bytes: Buffer.concat([Buffer.from(`${head}\n`), body]) };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', "'": "'", '\\': '\\' };

function unescaped(text: string): Buffer {
  const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_match, hex: string | undefined, short: string) =>
    hex === undefined ? (ESCAPES[short] ?? short) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}
