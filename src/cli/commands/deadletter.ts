/** `isthmus deadletter …`: deals with what could not be brought over, while the adapter runs or while it is stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../config/config-error.ts';
import type { DeadLetter, LetterSummary } from '../../connector/dead-letters/contract.ts';
import { type DeadLetterAccess, openDeadLetters } from '../../connector/runtime/dead-letter-access.ts';
import { IsthmusError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { loadConfig } from '../config.ts';
import { letterLine, letterText } from '../deadletter-text.ts';
import type { CommandContext } from './context.ts';

export type DeadLetterArguments = { readonly config?: string; readonly json?: boolean };
export type ListArguments = DeadLetterArguments & { readonly all?: boolean };
export type DiscardArguments = ListArguments & { readonly purge?: boolean };

/** Letters listed at a time. */
const PAGE = 500;
/** Letters whose answers are looked for at a time. */
const ANSWER_PAGE = 20;
const LOOK_MILLISECONDS = 200;
/** A running adapter that answers nothing for so long is busy with something else; the request stays. */
const PATIENCE_MILLISECONDS = 60_000;

/** Dead letters were named that are none, or are still refused. */
export class DeadLetterError extends IsthmusError {
  readonly code = 'dead-letter';
}

type Result = { readonly id: string; readonly state: string; readonly outcome: string };

export async function listLetters(options: ListArguments, context: CommandContext): Promise<void> {
  await withLetters(options, async ({ box }) => {
    const states = options.all ? undefined : (['waiting'] as const);
    let count = 0;
    const listed: LetterSummary[] = [];
    for (let after: string | undefined; ; ) {
      const page = await box.list({ states, after, limit: PAGE });
      count += page.length;
      if (options.json) listed.push(...page);
      else for (const letter of page) context.say(letterLine(letter));
      after = page.at(-1)?.id;
      if (page.length < PAGE) break;
    }
    if (options.json) context.say(JSON.stringify(listed));
    else if (count === 0) context.say(options.all ? 'There are no dead letters.' : 'No dead letter waits.');
  });
}

export async function showLetter(
  id: string,
  options: DeadLetterArguments,
  context: CommandContext,
): Promise<void> {
  await withLetters(options, async ({ box }) => {
    const [letter] = await box.read([id]);
    if (letter === undefined) throw unknownLetters([id]);
    if (options.json) context.say(JSON.stringify({ ...letter, payload: JSON.parse(letter.payload) }));
    else context.say(letterText(letter));
  });
}

export async function retryLetters(
  named: readonly string[],
  options: ListArguments,
  context: CommandContext,
): Promise<void> {
  await withLetters(options, async (access) => {
    const wanted = wantedOf(named, options);
    const ids = await access.box.request(wanted);
    const notWaiting = wanted === 'all' ? [] : await resultsOf(without(wanted, ids), access);
    const unknown = notWaiting.filter(({ state }) => state === 'gone').map(({ id }) => id);
    if (unknown.length > 0) throw unknownLetters(unknown);
    if (ids.length > 0) await waitForAnswers(ids, access, context);
    const results = [...notWaiting, ...(await resultsOf(ids, access))];
    tell(results, options, context);
    const left = results.filter(({ state }) => state === 'waiting');
    if (left.length > 0) {
      throw new DeadLetterError(`${left.length} of ${results.length} dead letters are still refused`, {
        remedy: 'isthmus deadletter show tells why; mend it and try again',
      });
    }
  });
}

export async function discardLetters(
  named: readonly string[],
  options: DiscardArguments,
  context: CommandContext,
): Promise<void> {
  await withLetters(options, async ({ box }) => {
    const wanted = wantedOf(named, options);
    const existing = wanted === 'all' ? undefined : await box.read(wanted);
    const discarded = await box.discard(wanted);
    const purged = options.purge ? await box.purge(wanted) : [];
    const results: Result[] = without(discarded, purged).map((id) => ({
      id,
      state: 'discarded',
      outcome: 'kept for the record',
    }));
    for (const id of purged) results.push({ id, state: 'removed', outcome: 'removed' });
    for (const { id, state } of existing ?? []) {
      if (results.some((result) => result.id === id)) continue;
      results.push({ id, state, outcome: 'did not wait any more' });
    }
    tell(results, options, context);
    const known = new Set(existing?.map(({ id }) => id));
    const unknown = wanted === 'all' ? [] : wanted.filter((id) => !known.has(id));
    if (unknown.length > 0) throw unknownLetters(unknown);
  });
}

function wantedOf(named: readonly string[], { all }: { readonly all?: boolean }): readonly string[] | 'all' {
  if (all === true && named.length === 0) return 'all';
  if (all !== true && named.length > 0) return [...new Set(named)];
  throw new ConfigError('The command line', [
    { path: 'ids', message: 'expected numbers of dead letters, or --all' },
  ]);
}

async function withLetters(
  options: DeadLetterArguments,
  work: (access: DeadLetterAccess) => Promise<void>,
): Promise<void> {
  const configured = (await loadConfig(options.config)).connector();
  const engine = { ...configured.engine, logger: onlyTroubles(configured.engine.logger) };
  const access = await openDeadLetters({ ...configured, engine });
  try {
    await work(access);
  } finally {
    await access.close();
  }
}

/** What the command has to say is its output; the log tells only of troubles. */
function onlyTroubles(logger: Logger): Logger {
  const ignore = (): void => {};
  return {
    error: (message, fields) => logger.error(message, fields),
    warn: (message, fields) => logger.warn(message, fields),
    info: ignore,
    verbose: ignore,
    debug: ignore,
  };
}

/** The running adapter answers; when none runs, one is run for that. */
async function waitForAnswers(
  ids: readonly string[],
  access: DeadLetterAccess,
  { signal }: CommandContext,
): Promise<void> {
  const holder = await access.adapterHolder();
  if (holder === undefined) {
    await access.withAdapter(() => untilAnswered(ids, access, signal, undefined), signal);
    return;
  }
  await untilAnswered(ids, access, signal, holder);
}

async function untilAnswered(
  ids: readonly string[],
  { box }: DeadLetterAccess,
  signal: AbortSignal,
  holder: string | undefined,
): Promise<void> {
  let open = ids;
  let since = performance.now();
  while (open.length > 0) {
    signal.throwIfAborted();
    const asked = open.slice(0, ANSWER_PAGE);
    const waiting = (await box.read(asked)).filter(({ requested }) => requested).map(({ id }) => id);
    const answered = without(asked, waiting);
    open = without(open, answered);
    if (answered.length > 0) since = performance.now();
    else if (holder !== undefined && performance.now() - since > PATIENCE_MILLISECONDS) {
      throw new DeadLetterError(`${holder} has not answered yet for ${open.length} dead letters`, {
        remedy: 'it will, as long as it runs: see isthmus deadletter list, and its log',
      });
    } else await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
}

async function resultsOf(ids: readonly string[], { box }: DeadLetterAccess): Promise<Result[]> {
  const found = new Map<string, DeadLetter>();
  for (let start = 0; start < ids.length; start += ANSWER_PAGE) {
    for (const letter of await box.read(ids.slice(start, start + ANSWER_PAGE))) found.set(letter.id, letter);
  }
  return ids.map((id) => {
    const letter = found.get(id);
    if (letter === undefined) return { id, state: 'gone', outcome: 'it was mended meanwhile' };
    return { id, state: letter.state, outcome: letter.outcome ?? letter.state };
  });
}

function tell(results: readonly Result[], options: DeadLetterArguments, { say }: CommandContext): void {
  if (options.json) {
    say(JSON.stringify(results));
    return;
  }
  for (const { id, state, outcome } of results)
    say(outcome === state ? `${id}  ${state}` : `${id}  ${state}  ${outcome}`);
  if (results.length === 0) say('No dead letter waits.');
}

function without(ids: readonly string[], removed: readonly string[]): string[] {
  const gone = new Set(removed);
  return ids.filter((id) => !gone.has(id));
}

function unknownLetters(ids: readonly string[]): DeadLetterError {
  return new DeadLetterError(`this adapter has no dead letter ${ids.join(', ')}`, {
    remedy: 'isthmus deadletter list --all shows those that it has',
  });
}
