/** `isthmus deadletter` for a place of the bench, as functions: what it says, and the error that it ends with. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandContext } from '../../../src/cli/commands/context.ts';
import {
  discardLetters,
  listLetters,
  retryLetters,
  showLetter,
} from '../../../src/cli/commands/deadletter.ts';
import { IsthmusError } from '../../../src/errors.ts';

export type Letter = {
  readonly id: string;
  readonly state: string;
  readonly direction: string;
  readonly sequence: number;
  readonly objects: readonly { readonly class: string; readonly key: string }[];
  readonly reason: Readonly<Record<string, string>>;
  readonly outcome?: string;
  readonly payload: unknown;
  readonly statements: readonly { readonly sql: string; readonly values: readonly (string | null)[] }[];
};
export type Result = { readonly id: string; readonly state: string; readonly outcome: string };

export class DeadLetterCommand {
  readonly #config: string;

  /** For a place of any database. */
  constructor(place: { readonly directory: string; options(): object }, changes: object = {}) {
    this.#config = join(place.directory, 'deadletter.json');
    const connector = { ...place.options(), ...changes, logLevel: 'error' };
    writeFileSync(this.#config, JSON.stringify({ connector }));
  }

  async list(options: { all?: boolean } = {}): Promise<Letter[]> {
    return JSON.parse((await this.said((context) => listLetters(this.#json(options), context))).output);
  }

  async show(id: string): Promise<Letter> {
    return JSON.parse((await this.said((context) => showLetter(id, this.#json({}), context))).output);
  }

  async retry(ids: readonly string[] | 'all'): Promise<{ results: Result[]; error: string | undefined }> {
    const all = ids === 'all';
    const { output, error } = await this.said((context) =>
      retryLetters(all ? [] : ids, this.#json({ all }), context),
    );
    return { results: output === '' ? [] : JSON.parse(output), error };
  }

  async discard(ids: readonly string[] | 'all', options: { purge?: boolean } = {}): Promise<Result[]> {
    const all = ids === 'all';
    const { output } = await this.said((context) =>
      discardLetters(all ? [] : ids, this.#json({ ...options, all }), context),
    );
    return output === '' ? [] : JSON.parse(output);
  }

  async said(
    run: (context: CommandContext) => Promise<void>,
  ): Promise<{ readonly output: string; readonly error: string | undefined }> {
    const lines: string[] = [];
    const context: CommandContext = {
      signal: AbortSignal.timeout(60_000),
      screen: process.stdout,
      say: (line) => lines.push(line),
    };
    try {
      await run(context);
      return { output: lines.join('\n'), error: undefined };
    } catch (error) {
      if (!(error instanceof IsthmusError)) throw error;
      return { output: lines.join('\n'), error: `${error.code}: ${error.message}` };
    }
  }

  #json<T extends object>(options: T): T & { config: string; json: true } {
    return { ...options, config: this.#config, json: true };
  }
}
