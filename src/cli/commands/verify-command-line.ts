/** `isthmus verify` and its options; what it needs is imported when it runs. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './context.ts';
import type { VerifyArguments } from './verify.ts';

const DEFAULT_SETTLE_SECONDS = 10;
/** An hour: whoever means more has mistaken the unit. */
const MOST_SETTLE_SECONDS = 3_600;
const DEFAULT_LISTED = 20;

export function addVerifyCommand(program: Command, context: CommandContext, help: string): void {
  program
    .command('verify')
    .description('compare every row with its object, and repair one of the sides when asked to')
    .option('-c, --config <file>', 'configuration (default: config.ts, .js, .mjs, .cjs or .json)')
    .addOption(
      new Option('--repair <side>', 'change this side to what the other one says').choices(['realm', 'sql']),
    )
    .option('--dry-run', 'with --repair: show what it would do, and change nothing')
    .option('--yes', 'with --repair: without asking')
    .option('--only <classes>', 'classes to compare, separated by commas', classNames, [])
    .option(
      '--settle <seconds>',
      'how long what differs must stand still on both sides',
      seconds,
      DEFAULT_SETTLE_SECONDS,
    )
    .option('--limit <count>', 'differences listed for each class; all are counted', count, DEFAULT_LISTED)
    .option('--json', 'a line of JSON for each class and for every difference')
    .addHelpText('after', help)
    .action(async (options: VerifyArguments) =>
      (await import('./verify.ts')).runVerifyCommand(options, context),
    );
}

/** May be given several times. */
function classNames(text: string, before: readonly string[]): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return [...before, ...names];
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= MOST_SETTLE_SECONDS) return value;
  throw new InvalidArgumentError(`expected seconds from 0 to ${MOST_SETTLE_SECONDS}.`);
}

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number.');
}
