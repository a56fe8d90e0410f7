/** Questions to whoever sits at the terminal. They go to standard error: standard output may be read by a program. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export function isAtTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** The answer; a secret one is not shown while it is typed. Throws an `AbortError` on Ctrl-C. */
export async function ask(
  question: string,
  { isSecret, signal }: { readonly isSecret: boolean; readonly signal: AbortSignal },
): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(question);
  const terminal = createInterface({
    input: process.stdin,
    output: isSecret ? nowhere : process.stderr,
    terminal: true,
  });
  const interrupted = new AbortController();
  terminal.once('SIGINT', () => interrupted.abort());
  try {
    // An empty question: readline would write it again with every key.
    return await terminal.question('', { signal: AbortSignal.any([signal, interrupted.signal]) });
  } finally {
    terminal.close();
    if (isSecret) process.stderr.write('\n');
  }
}
