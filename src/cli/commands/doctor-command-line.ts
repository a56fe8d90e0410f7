/** `isthmus doctor` and its options; what it needs is imported when it runs. */
import type { Command } from 'commander';
import type { CommandContext } from './context.ts';
import type { DoctorArguments } from './doctor.ts';

export function addDoctorCommand(program: Command, context: CommandContext, help: string): void {
  program
    .command('doctor')
    .description(
      'examine configuration, database, change feed, models and object server, and say what to mend',
    )
    .option('-c, --config <file>', 'configuration (default: config.ts, .js, .mjs, .cjs or .json)')
    .option('--json', 'a line of JSON for each finding, and one that counts them')
    .addHelpText('after', help)
    .action(async (options: DoctorArguments) => (await import('./doctor.ts')).runDoctor(options, context));
}
