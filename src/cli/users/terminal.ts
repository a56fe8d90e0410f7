/** Questions to whoever sits at the terminal. They go to standard error: standard output may be read by a program. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { ConfigError } from '../../config/config-error.ts';

export function isAtTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * The answer; a secret one is not shown while it is typed. Ctrl-C asks the whole command to stop, which ends the
 * question with an `AbortError`.
 */
export async function ask(
  question: string,
  { isSecret, signal }: { readonly isSecret: boolean; readonly signal: AbortSignal },
): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: process.stdin,
    output: isSecret ? nowhere : process.stderr,
    terminal: true,
  });
  // Only now: until readline reads single keys, the terminal itself shows what is typed.
  process.stderr.write(question);
  const hungUp = new AbortController();
  // The terminal sends no signal while single keys are read.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  terminal.once('close', () => hungUp.abort());
  try {
    // An empty question: readline would write it again with every key.
    return await terminal.question('', { signal: AbortSignal.any([signal, hungUp.signal]) });
  } catch (error) {
    if (signal.aborted || !hungUp.signal.aborted) throw error;
    throw new ConfigError('The command line', [{ path: question.trim(), message: 'there was no answer' }]);
  } finally {
    terminal.close();
    if (isSecret) process.stderr.write('\n');
  }
}
