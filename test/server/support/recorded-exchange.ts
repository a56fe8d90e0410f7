/** Reads the recorded exchanges in test/vectors/traces into steps. */
import { readFileSync } from 'node:fs';

export type Step =
  | { readonly kind: 'client'; readonly connection: number; readonly head: string; readonly body: Buffer }
  | { readonly kind: 'server'; readonly connection: number; readonly head: string; readonly body: Buffer }
  | { readonly kind: 'close'; readonly connection: number };

/** `1 C>S op=82 'bind 1 3 0 1 0\n' + 2f7031` and `1 C>S EOF`. */
const PROXY_LINE = /^(\d+) ([CS])>[CS] (?:op=82 '(.*)\\n'(?: \+ ([0-9a-f]*))?|(EOF))$/;
/** `c>s #1 "bind 1 2 0 1 0" +2f78` and `close #1 ""`. */
const FRAME_LINE = /^(?:([cs])>[cs] #(\d+) "(.*?)"(?: \+([0-9a-f]*))?|close #(\d+) .*)$/;

export function recordedExchange(name: string): Step[] {
  const file = new URL(`../../vectors/traces/${name}`, import.meta.url);
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => proxyStep(line) ?? frameStep(line) ?? []);
}

function proxyStep(line: string): Step | undefined {
  const match = PROXY_LINE.exec(line);
  if (!match) return undefined;
  const [, connection, direction, head, body, eof] = match;
  if (eof !== undefined)
    return direction === 'C' ? { kind: 'close', connection: Number(connection) } : undefined;
  return message(direction === 'C', connection, head, body);
}

function frameStep(line: string): Step | undefined {
  const match = FRAME_LINE.exec(line);
  if (!match) return undefined;
  const [, direction, connection, head, body, closed] = match;
  if (closed !== undefined) return { kind: 'close', connection: Number(closed) };
  return message(direction === 'c', connection, head, body);
}

function message(
  fromClient: boolean,
  connection: string | undefined,
  head: string | undefined,
  body: string | undefined,
): Step {
  return {
    kind: fromClient ? 'client' : 'server',
    connection: Number(connection),
    head: head ?? '',
    body: Buffer.from(body ?? '', 'hex'),
  };
}
