/** `isthmus verify`: compares tables and realms, and repairs one of the sides. */
import { ConfigError } from '../../config/config-error.ts';
import { verifyDatabase } from '../../connector/runtime/verify-database.ts';
import type { NotRepaired, RepairDirection } from '../../connector/verify/repair.ts';
import type { Repair, VerifyReport } from '../../connector/verify/run-verify.ts';
import type { Logger } from '../../log.ts';
import { loadConfig } from '../config.ts';
import { createProgressDisplay, type Screen } from '../progress-display.ts';
import { ask, isAtTerminal } from '../users/terminal.ts';
import { DifferencesFoundError } from '../verify/differences-found-error.ts';
import { repairQuestion } from '../verify/report-text.ts';
import { createReportWriter, type ReportWriter } from '../verify/report-writer.ts';
import { verifyProgress } from '../verify/verify-progress.ts';
import type { CommandContext } from './context.ts';

export type VerifyArguments = {
  readonly config?: string;
  readonly repair?: RepairDirection;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly only: readonly string[];
  readonly settle: number;
  readonly limit: number;
  readonly json?: boolean;
};

const MILLISECONDS = 1_000;
const VERBS = { running: 'verifying', done: 'verified' };

/** Throws `DifferencesFoundError` when differences stand in the end. */
export async function runVerifyCommand(args: VerifyArguments, context: CommandContext): Promise<void> {
  requireSense(args);
  const connector = (await loadConfig(args.config)).connector();
  const json = args.json === true;
  const logger = json ? onStandardError(connector.engine.logger) : connector.engine.logger;
  const screen: Screen = json ? { write: () => {} } : context.screen;
  const display = createProgressDisplay(screen, logger, Date.now, VERBS);
  const engine = { ...connector.engine, logger: display.above(logger) };
  const writer = createReportWriter({ json, limit: args.limit, say: context.say });
  const progress = verifyProgress(display, engine.logger);
  let report: VerifyReport;
  try {
    const request = {
      only: args.only,
      settleMilliseconds: args.settle * MILLISECONDS,
      ...(args.repair === undefined
        ? {}
        : { repair: repairOf(args, args.repair, writer, progress.end, context) }),
    };
    report = await verifyDatabase({ ...connector, engine }, request, {
      onProgress: progress.update,
      onDifference: writer.difference,
      signal: context.signal,
    });
  } finally {
    progress.end();
  }
  writer.found(report);
  writer.repaired(report);
  const left = report.repair === undefined ? report.standing : report.repair.notRepaired;
  if (left > 0) throw new DifferencesFoundError(left, args.repair !== undefined);
}

function requireSense({ repair, dryRun, yes }: VerifyArguments): void {
  if (repair === undefined && (dryRun || yes)) {
    throw wrong(
      dryRun ? '--dry-run' : '--yes',
      'says how to repair: give --repair realm or --repair sql, too',
    );
  }
  if (repair !== undefined && !dryRun && !yes && !isAtTerminal()) {
    throw wrong('--repair', 'there is no terminal to ask whether you are sure: give --yes, or --dry-run');
  }
}

function repairOf(
  { dryRun, yes }: VerifyArguments,
  direction: RepairDirection,
  writer: ReportWriter,
  endProgress: () => void,
  { say, signal }: CommandContext,
): Repair {
  return {
    direction,
    confirm: async (found) => {
      endProgress();
      writer.found(found);
      if (dryRun === true) {
        writer.wouldRepair(found, direction);
        return false;
      }
      if (yes === true) return true;
      const answer = await ask(repairQuestion(found, direction), { isSecret: false, signal });
      const isSure = answer.trim().toLowerCase() === 'yes';
      if (!isSure) say('Nothing was changed.');
      return isSure;
    },
    onNotRepaired: (failure: NotRepaired) => writer.notRepaired(failure),
  };
}

/** Standard output is for the lines of JSON. */
function onStandardError(logger: Logger): Logger {
  const say = (message: string, fields?: Record<string, unknown>): void => {
    process.stderr.write(`${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}\n`);
  };
  return { ...logger, error: logger.error, warn: logger.warn, info: say, verbose: () => {}, debug: () => {} };
}

function wrong(path: string, message: string): ConfigError {
  return new ConfigError('The command line', [{ path, message }]);
}
