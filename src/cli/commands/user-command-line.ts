/** The subcommands of `isthmus user` and their options; what they need is imported when they run. */
import type { Command } from 'commander';
import type { UserChange } from '../users/administration.ts';
import type { PasswordArguments } from '../users/passwords.ts';
import type { CommandContext } from './context.ts';
import type { UserArguments } from './user.ts';

const WHO = 'id, or the name that the user logs in with';
/** Commands that set one thing, which the name says. */
const CHANGES: readonly (readonly [name: string, description: string, change: UserChange])[] = [
  ['promote', 'make a user an administrator', { admin: true }],
  ['demote', 'make an administrator an ordinary user', { admin: false }],
  ['disable', 'keep a user from logging in, and end the sessions', { disabled: true }],
  ['enable', 'let a disabled user log in again', { disabled: false }],
];

/** Adds the subcommands to `isthmus user`. */
export function addUserCommands(parent: Command, context: CommandContext, help: string): void {
  const load = () => import('./user.ts');
  const add = (usage: string, description: string): Command =>
    parent
      .command(usage)
      .description(description)
      .option(
        '-c, --config <file>',
        'configuration of the server (default: config.ts, .js, .mjs, .cjs or .json)',
      )
      .option('--server <url>', 'a running server (default: the one of the configuration)')
      .option('--admin-token <token>', 'opens the admin API of --server; better in ISTHMUS_ADMIN_TOKEN')
      .option('--json', 'answer in JSON')
      .addHelpText('after', help);

  add('list', 'list all users').action(async (options: UserArguments) =>
    (await load()).listUsers(options, context),
  );
  withPassword(add('create', 'make a user who logs in with name and password'))
    .argument('<name>', 'the name, often an email address')
    .option('--admin', 'an administrator')
    .action(async (name: string, options: UserArguments & PasswordArguments & { admin?: boolean }) =>
      (await load()).createUser(name, options, context),
    );
  for (const [name, description, change] of CHANGES) {
    add(name, description)
      .argument('<user>', WHO)
      .action(async (user: string, options: UserArguments) =>
        (await load()).changeUser(user, change, options, context),
      );
  }
  withPassword(add('password', 'set a new password, and end the sessions'))
    .argument('<user>', WHO)
    .action(async (user: string, options: UserArguments & PasswordArguments) =>
      (await load()).setPassword(user, options, context),
    );
  add('data', 'show the custom data of a user, or replace them')
    .argument('<user>', WHO)
    .argument('[json]', 'a JSON object')
    .action(async (user: string, json: string | undefined, options: UserArguments) =>
      (await load()).customData(user, json, options, context),
    );
  add('revoke', 'end all sessions of a user, who has to log in again')
    .argument('<user>', WHO)
    .action(async (user: string, options: UserArguments) =>
      (await load()).revokeSessions(user, options, context),
    );
  add('delete', 'delete a user and end the sessions')
    .argument('<user>', WHO)
    .option('--yes', 'without asking')
    .action(async (user: string, options: UserArguments & { yes?: boolean }) =>
      (await load()).deleteUser(user, options, context),
    );
}

function withPassword(command: Command): Command {
  return command
    .option('--password-stdin', 'read the password from standard input')
    .option('--generate-password', 'make a password up, and show it once');
}
