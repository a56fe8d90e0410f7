/**
 * SIGINT and SIGTERM: the first asks for an orderly stop, which may take {@link GRACE_MILLISECONDS}; a second one ends
 * the process at once.
 */
import { EXIT } from './exit-codes.ts';

/** Container runtimes and process managers kill after 10 s or more by default. */
export const GRACE_MILLISECONDS = 10_000;
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

export type StopSignals = {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  readonly dispose: () => void;
};

/** Starts listening. `tell` is called with what to tell the user. */
export function listenForStopSignals(tell: (line: string) => void): StopSignals {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const on = (name: keyof typeof SIGNALS) => (): void => {
    if (controller.signal.aborted) process.exit(128 + SIGNALS[name]);
    tell(`${name}: stopping; once more to end at once`);
    timer = setTimeout(() => {
      tell(`not stopped within ${GRACE_MILLISECONDS / 1000} s, ending`);
      process.exit(EXIT.hung);
    }, GRACE_MILLISECONDS);
    timer.unref();
    controller.abort();
  };
  const interrupt = on('SIGINT');
  const terminate = on('SIGTERM');
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  return {
    signal: controller.signal,
    dispose: () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
    },
  };
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
