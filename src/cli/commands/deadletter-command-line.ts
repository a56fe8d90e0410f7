/** The subcommands of `isthmus deadletter` and their options; what they need is imported when they run. */
import type { Command } from 'commander';
import type { CommandContext } from './context.ts';
import type { DeadLetterArguments, DiscardArguments, ListArguments } from './deadletter.ts';

/** Adds the subcommands to `isthmus deadletter`. */
export function addDeadLetterCommands(parent: Command, context: CommandContext, help: string): void {
  const load = () => import('./deadletter.ts');
  const add = (usage: string, description: string): Command =>
    parent
      .command(usage)
      .description(description)
      .option('-c, --config <file>', 'configuration (default: config.ts, .js, .mjs, .cjs or .json)')
      .option('--json', 'answer in JSON')
      .addHelpText('after', help);

  add('list', 'list the dead letters that wait to be dealt with')
    .option('--all', 'those that were retried or discarded, too')
    .action(async (options: ListArguments) => (await load()).listLetters(options, context));
  add('show', 'show a dead letter whole: reason, statements, content')
    .argument('<id>', 'its number in the list')
    .action(async (id: string, options: DeadLetterArguments) =>
      (await load()).showLetter(id, options, context),
    );
  add('retry', 'try again to bring it over, as it is now')
    .argument('[ids...]', 'numbers in the list')
    .option('--all', 'all that wait')
    .action(async (ids: string[], options: DeadLetterArguments & { all?: boolean }) =>
      (await load()).retryLetters(ids, options, context),
    );
  add('discard', 'decide that it will not be brought over; kept for the record')
    .argument('[ids...]', 'numbers in the list')
    .option('--all', 'all that wait')
    .option('--purge', 'remove them altogether, also those that were retried or discarded before')
    .action(async (ids: string[], options: DiscardArguments) =>
      (await load()).discardLetters(ids, options, context),
    );
}
