/**
 * Runs functions of the configuration for apps. A function may throw, hang or give anything: the caller gets an error
 * or a result, within time and size.
 */
import type { User } from '../accounts/accounts.ts';
import type { ServerLimits } from '../limits.ts';
import type { AppFunctionsOptions, FunctionContext, FunctionOptions } from './app-function.ts';
import { resultText } from './extended-json.ts';
import { FunctionError } from './function-error.ts';

/** Functions that call each other deeper than this do so without end. */
const DEEPEST_CALL = 20;
/** Characters of an error's message that clients get. */
const LONGEST_MESSAGE = 2_000;

export type FunctionCaller = Pick<FunctionContext, 'user' | 'remoteAddress' | 'headers'>;
type FunctionLimits = Pick<ServerLimits, 'functionTime' | 'functionResult' | 'functionsRunning'>;

export class AppFunctions {
  readonly #functions: ReadonlyMap<string, FunctionOptions>;
  readonly #limits: FunctionLimits;
  readonly #running = new Set<AbortController>();
  #closed = false;

  constructor(functions: AppFunctionsOptions, limits: FunctionLimits) {
    this.#functions = new Map(
      Object.entries(functions).map(([name, given]) => [
        name,
        typeof given === 'function'
          ? { run: (_context, ...args) => Reflect.apply(given, undefined, args) }
          : given,
      ]),
    );
    this.#limits = limits;
  }

  /** The result as canonical Extended JSON. Throws FunctionError. */
  async call(name: string, args: readonly unknown[], caller: FunctionCaller): Promise<string> {
    const found = this.#functions.get(name);
    if (found === undefined || found.private === true) throw unknownFunction(name);
    if (this.#closed) throw stopping();
    if (this.#running.size >= this.#limits.functionsRunning) {
      throw new FunctionError('TooManyRequests', 'too many functions are running: try again later');
    }
    const controller = new AbortController();
    this.#running.add(controller);
    const timer = setTimeout(() => controller.abort(overdue(name, this.#limits)), this.#limits.functionTime);
    try {
      const permitted = async (): Promise<unknown> => {
        await permit(name, found, caller.user);
        return this.#run(name, args, caller, controller.signal, 0);
      };
      const result = await Promise.race([permitted(), aborted(controller.signal)]);
      return this.#told(name, result);
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
      // Whatever it still does, nobody waits for it.
      controller.abort(stopping());
    }
  }

  /** Refuses further calls and answers those that are under way. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#running) controller.abort(stopping());
  }

  async #run(
    name: string,
    args: readonly unknown[],
    caller: FunctionCaller,
    signal: AbortSignal,
    depth: number,
  ): Promise<unknown> {
    const found = this.#functions.get(name);
    if (found === undefined) throw unknownFunction(name);
    if (depth > DEEPEST_CALL) {
      throw new FunctionError('FunctionExecutionError', `${name}: functions call each other without end`);
    }
    const context: FunctionContext = {
      ...caller,
      signal,
      callFunction: async (other, ...more) => {
        signal.throwIfAborted();
        return this.#run(other, more, caller, signal, depth + 1);
      },
    };
    try {
      return await Reflect.apply(found.run, undefined, [context, ...args]);
    } catch (cause) {
      if (cause instanceof FunctionError) throw cause;
      throw new FunctionError('FunctionExecutionError', messageOf(name, cause), { cause });
    }
  }

  #told(name: string, result: unknown): string {
    let text: string;
    try {
      text = resultText(result);
    } catch (cause) {
      throw new FunctionError('FunctionExecutionError', `${name}: ${messageOf(name, cause)}`, { cause });
    }
    if (Buffer.byteLength(text) <= this.#limits.functionResult) return text;
    throw new FunctionError(
      'ReadSizeLimitExceeded',
      `the result of ${name} has more than ${this.#limits.functionResult} bytes`,
    );
  }
}

async function permit(name: string, { canExecute }: FunctionOptions, user: User): Promise<void> {
  if (canExecute === undefined) return;
  let cause: unknown;
  try {
    // What is no boolean comes from a mistake, and a mistake must not open anything.
    if ((await canExecute(user)) === true) return;
  } catch (error) {
    cause = error;
  }
  throw new FunctionError('NoMatchingRuleFound', `this user may not call ${name}`, { cause });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function messageOf(name: string, thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
  return message === '' ? `${name} failed` : message.slice(0, LONGEST_MESSAGE);
}

function unknownFunction(name: string): FunctionError {
  return new FunctionError('FunctionNotFound', `function not found: '${name.slice(0, LONGEST_MESSAGE)}'`);
}

function overdue(name: string, { functionTime }: FunctionLimits): FunctionError {
  return new FunctionError(
    'ExecutionTimeLimitExceeded',
    `${name} did not come to its end within ${functionTime} ms`,
  );
}

function stopping(): FunctionError {
  return new FunctionError('MaintenanceInProgress', 'the server is stopping');
}
