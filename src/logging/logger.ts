/**
 * winston behind {@link Logger}: the console by default, a file for verbose logs (reference, "Logging"), or any logger
 * of the user's own. Secrets are taken out of every line on its way.
 */
import { join } from 'node:path';
import winston from 'winston';
import { redactText, redactValue } from '../config/secrets.ts';
import type { Logger } from '../log.ts';

/** Names of the levels, for `logLevel: LogLevels.VERBOSE`. Each includes those before it. */
export const LogLevels = {
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  VERBOSE: 'verbose',
  DEBUG: 'debug',
} as const;

export type LogLevel = (typeof LogLevels)[keyof typeof LogLevels];
type LogMethod = (message: string, fields?: Record<string, unknown>) => unknown;

/** What a logger of the user's own must have; levels that it lacks go to the next coarser one. */
export type LoggerLike = {
  readonly error: LogMethod;
  readonly warn: LogMethod;
  readonly info: LogMethod;
  readonly verbose?: LogMethod;
  readonly debug?: LogMethod;
};

export function isLogLevel(value: unknown): value is LogLevel {
  return Object.values<unknown>(LogLevels).includes(value);
}

/** Logs to the console; levels `error` and `warn` to standard error. */
export function createLogger(options: { readonly level?: LogLevel } = {}): Logger {
  const level = options.level ?? LogLevels.INFO;
  return toLogger(
    winston.createLogger({
      level,
      format: lineFormat,
      transports: [new winston.transports.Console({ stderrLevels: [LogLevels.ERROR, LogLevels.WARN] })],
    }),
  );
}

/**
 * Logs to a file, which keeps up where a console does not. `filename` is an absolute path; by default a file
 * `realm-adapter-log-YYYY-MM-DD-MM-SS.txt` in the current directory (the last two are minutes and seconds, as the
 * reference says).
 */
export function createFileLogger(
  loglevel: LogLevel = LogLevels.INFO,
  filename: string = join(process.cwd(), defaultLogFileName(new Date())),
): Logger {
  return toLogger(
    winston.createLogger({
      level: loglevel,
      format: lineFormat,
      transports: [new winston.transports.File({ filename })],
    }),
  );
}

/** The file name that {@link createFileLogger} takes by default. */
export function defaultLogFileName(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `realm-adapter-log-${day}-${two(now.getMinutes())}-${two(now.getSeconds())}.txt`;
}

/** Puts the redaction of secrets in front of a logger, and the levels that it does not know. */
export function toLogger(target: LoggerLike): Logger {
  const via =
    (method: LogMethod) =>
    (message: string, fields?: Record<string, unknown>): void => {
      if (fields === undefined) method.call(target, redactText(message));
      else method.call(target, redactText(message), asFields(redactValue(fields)));
    };
  const verbose = target.verbose ?? target.info;
  return {
    error: via(target.error),
    warn: via(target.warn),
    info: via(target.info),
    verbose: via(verbose),
    debug: via(target.debug ?? verbose),
  };
}

function asFields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const lineFormat = winston.format.combine(
  winston.format.timestamp(),
  winston.format.printf(({ timestamp, level, message, ...fields }) => {
    const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
    return `${String(timestamp)} ${level.padEnd(7)} ${String(message)}${rest}`;
  }),
);
