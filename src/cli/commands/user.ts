/** `isthmus user …`: administers the users of an object server, running or not. */
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../config.ts';
import type { ShownUser, UserAdministration, UserChange } from '../users/administration.ts';
import { openAdministration } from '../users/open-administration.ts';
import { choosePassword, type PasswordArguments } from '../users/passwords.ts';
import { ask, isAtTerminal } from '../users/terminal.ts';
import { describeUser, LIST_HEADING, listLine } from '../users/user-text.ts';
import type { CommandContext } from './context.ts';

/** Options that every `isthmus user` command has. */
export type UserArguments = {
  readonly config?: string;
  readonly server?: string;
  readonly adminToken?: string;
  readonly json?: boolean;
};

export async function listUsers(options: UserArguments, context: CommandContext): Promise<void> {
  await administer(options, context, async (users) => {
    if (!options.json) context.say(LIST_HEADING);
    const all: ShownUser[] = [];
    for await (const page of users.list()) {
      if (options.json) all.push(...page);
      else for (const user of page) context.say(listLine(user));
    }
    if (options.json) context.say(JSON.stringify(all));
  });
}

export async function createUser(
  name: string,
  options: UserArguments & PasswordArguments & { readonly admin?: boolean },
  context: CommandContext,
): Promise<void> {
  const { password, isGenerated } = await choosePassword(options, context.signal);
  await administer(options, context, async (users) => {
    const user = await users.create({ name, password, admin: options.admin ?? false });
    show(user, isGenerated ? password : undefined, options, context);
  });
}

export async function setPassword(
  name: string,
  options: UserArguments & PasswordArguments,
  context: CommandContext,
): Promise<void> {
  const { password, isGenerated } = await choosePassword(options, context.signal);
  await administer(options, context, async (users) => {
    const user = await users.change(name, { password });
    show(user, isGenerated ? password : undefined, options, context);
  });
}

export async function changeUser(
  name: string,
  change: UserChange,
  options: UserArguments,
  context: CommandContext,
): Promise<void> {
  await administer(options, context, async (users) => {
    show(await users.change(name, change), undefined, options, context);
  });
}

export async function revokeSessions(
  name: string,
  options: UserArguments,
  context: CommandContext,
): Promise<void> {
  await administer(options, context, async (users) => {
    await users.revoke(name);
    show(await users.find(name), undefined, options, context);
  });
}

export async function deleteUser(
  name: string,
  options: UserArguments & { readonly yes?: boolean },
  context: CommandContext,
): Promise<void> {
  if (!options.yes && !isAtTerminal()) {
    throw wrong('delete', 'there is no terminal to ask whether you are sure: give --yes');
  }
  await administer(options, context, async (users) => {
    const user = await users.find(name);
    if (!options.yes && !(await isSure(user, context.signal))) {
      context.say('Nothing was deleted.');
      return;
    }
    // By the id: whoever answered the question meant this one.
    await users.remove(user.id);
    context.say(options.json ? JSON.stringify(user) : `Deleted ${describeUser(user)}`);
  });
}

/** Without `json` shows the custom data; with it replaces them. */
export async function customData(
  name: string,
  json: string | undefined,
  options: UserArguments,
  context: CommandContext,
): Promise<void> {
  const data = json === undefined ? undefined : parseData(json);
  await administer(options, context, async (users) => {
    const user = data === undefined ? await users.find(name) : await users.change(name, { customData: data });
    context.say(JSON.stringify(options.json ? user : user.customData));
  });
}

async function administer(
  options: UserArguments,
  context: CommandContext,
  work: (users: UserAdministration) => Promise<void>,
): Promise<void> {
  const { server } = await loadConfig(options.config);
  const users = await openAdministration(
    { server: options.server ?? process.env.ISTHMUS_SERVER_URL, adminToken: options.adminToken },
    server,
    context.signal,
  );
  try {
    await work(users);
  } finally {
    await users.close();
  }
}

/** A password that was made up is shown once, here. */
function show(
  user: ShownUser,
  madeUp: string | undefined,
  options: UserArguments,
  { say }: CommandContext,
): void {
  if (options.json) {
    say(JSON.stringify({ ...user, ...(madeUp !== undefined && { password: madeUp }) }));
    return;
  }
  say(describeUser(user));
  if (madeUp !== undefined) say(`The password is ${madeUp} and is shown this once.`);
}

async function isSure(user: ShownUser, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(`Delete ${describeUser(user)}? Type yes: `, { isSecret: false, signal });
  return answer.trim().toLowerCase() === 'yes';
}

function parseData(json: string): Readonly<Record<string, unknown>> {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    throw wrong('data', 'expected JSON, for example \'{"team": "garden"}\'');
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw wrong('data', 'expected a JSON object, for example \'{"team": "garden"}\'');
  }
  return { ...data };
}

function wrong(path: string, message: string): ConfigError {
  return new ConfigError('The command line', [{ path, message }]);
}
