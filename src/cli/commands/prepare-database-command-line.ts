/** `isthmus prepare-database` and its options; what it needs is imported when it runs. */
import type { Command } from 'commander';
import type { CommandContext } from './context.ts';
import type { PrepareArguments } from './prepare-database.ts';

export function addPrepareDatabaseCommand(program: Command, context: CommandContext, help: string): void {
  program
    .command('prepare-database')
    .description(
      'make a SQL Server database ready: change tracking, snapshot isolation, own tables, permissions',
    )
    .option('-c, --config <file>', 'configuration (default: config.ts, .js, .mjs, .cjs or .json)')
    .option('--print', 'show the script, and change nothing')
    .option('--login <name>', 'give this login, which the adapter will use, the permissions that it needs')
    .addHelpText('after', help)
    .action(async (options: PrepareArguments) =>
      (await import('./prepare-database.ts')).runPrepareDatabase(options, context),
    );
}
