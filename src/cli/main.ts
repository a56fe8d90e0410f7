/** The `isthmus` command: parses the command line, runs one command, and turns its end into an exit code. */
import { Command, CommanderError } from 'commander';
import { redactText } from '../config/secrets.ts';
import { IsthmusError } from '../errors.ts';
import type { CommandContext } from './commands/context.ts';
import { addDeadLetterCommands } from './commands/deadletter-command-line.ts';
import { addDoctorCommand } from './commands/doctor-command-line.ts';
import type { LoadArguments } from './commands/load.ts';
import { addPrepareDatabaseCommand } from './commands/prepare-database-command-line.ts';
import { addUserCommands } from './commands/user-command-line.ts';
import { addVerifyCommand } from './commands/verify-command-line.ts';
import type { DemoArguments } from './demo/run-demo.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { listenForStopSignals } from './stop-signals.ts';

/** A handle that a library failed to close must not keep a finished command alive. */
const LINGER_MILLISECONDS = 2_000;
const EXIT_CODES_HELP = `
Exit codes: 0 done or stopped on request, 1 unexpected error, 2 wrong command line or configuration,
3 documented error (docs/errors.md), 4 the running connector stopped and needs an operator, 5 stopping took
longer than 10 s, 6 verify found differences, 130 interrupted: a load goes on at the next run`;

type Run = (config: string | undefined, context: CommandContext) => Promise<void>;

/** What a command needs is imported when it runs, so that the others start at once. */
const COMMANDS: readonly (readonly [name: string, description: string, run: Run])[] = [
  [
    'server',
    'run the object server',
    async (...args) => (await import('./commands/server.ts')).runServer(...args),
  ],
  [
    'adapter',
    'keep realms and tables in sync, in both directions',
    async (...args) => (await import('./commands/adapter.ts')).runAdapter(...args),
  ],
  [
    'start',
    'run the object server and the adapter in one process',
    async (...args) => (await import('./commands/start.ts')).runStart(...args),
  ],
];

/** Whoever read our output has gone (`isthmus … | head`): nobody is left to write to, and nothing has failed. */
function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Runs the command line `argv` (without node and script) and resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const tell = (line: string): unknown => process.stderr.write(`${line}\n`);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedReader);
  const stop = listenForStopSignals(tell);
  const context: CommandContext = {
    signal: stop.signal,
    screen: process.stdout,
    say: (line) => process.stdout.write(`${line}\n`),
  };
  try {
    await commandLine(context).parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (stop.signal.aborted && isAbort(error)) return EXIT.interrupted;
    if (!(error instanceof CommanderError)) tell(`isthmus: ${describe(error)}`);
    return exitCodeOf(error);
  } finally {
    stop.dispose();
  }
}

function commandLine(context: CommandContext): Command {
  const program = new Command('isthmus')
    .description('Two-way sync between Realm clients and the tables of your own database')
    .addHelpText('after', EXIT_CODES_HELP)
    .showHelpAfterError('(isthmus --help shows what there is)')
    .exitOverride();
  for (const [name, description, run] of COMMANDS) {
    program
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'configuration (default: config.ts, .js, .mjs, .cjs or .json)')
      .addHelpText('after', EXIT_CODES_HELP)
      .action((options: { config?: string }) => run(options.config, context));
  }
  program
    .command('load')
    .description('bring the tables into the realms, or only the differences when they are there')
    .option('-c, --config <file>', 'configuration (default: config.ts, .js, .mjs, .cjs or .json)')
    .option('--resume', 'make the change feed anew first: the repair after changes were lost')
    .option('--only <classes>', 'load (or compare) only these classes, separated by commas')
    .option('--compare', 'compare all tables, also when some were never loaded')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (options: LoadArguments) => (await import('./commands/load.ts')).runLoad(options, context));
  addDoctorCommand(program, context, EXIT_CODES_HELP);
  addVerifyCommand(program, context, EXIT_CODES_HELP);
  addPrepareDatabaseCommand(program, context, EXIT_CODES_HELP);
  addDeadLetterCommands(
    program
      .command('deadletter')
      .description('deal with what could not be brought from one side to the other')
      .addHelpText('after', EXIT_CODES_HELP),
    context,
    EXIT_CODES_HELP,
  );
  addUserCommands(
    program
      .command('user')
      .description('administer the users of the object server')
      .addHelpText('after', EXIT_CODES_HELP),
    context,
    EXIT_CODES_HELP,
  );
  program
    .command('demo')
    .description(
      'show everything at once, with the Chinook database on an embedded PostgreSQL or on SQL Server',
    )
    .option('--database <product>', 'postgres or sqlserver', 'postgres')
    .option(
      '--data <directory>',
      'where everything is kept (default: .isthmus/demo or .isthmus/demo-sqlserver)',
    )
    .option('--reset', 'start over')
    .option('--port <number>', 'port of the object server')
    .option('--postgres-port <number>', 'port of the embedded PostgreSQL')
    .option(
      '--sqlserver-port <number>',
      'port of the SQL Server simulator, which runs unless ISTHMUS_SQLSERVER_URL names a server',
    )
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (options: DemoArguments) => {
      const { runDemo } = await import('./demo/run-demo.ts');
      await runDemo(options, context);
    });
  return program;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function describe(error: unknown): string {
  if (error instanceof IsthmusError) return redactText(`${error.message} [${error.code}]`);
  return redactText(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/** For `bin/isthmus.js` and the entry files: runs the command line and ends the process with its exit code. */
export async function runAndExit(argv: readonly string[]): Promise<void> {
  process.exitCode = await main(argv);
  setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();
}

if (import.meta.main) await runAndExit(process.argv.slice(2));
