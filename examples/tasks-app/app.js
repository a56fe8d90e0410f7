/**
 * A to-do list that works offline, on the Realm SDK as it comes from its vendor: only `baseUrl` points to our server.
 *
 *     npm install && node app.js --user ann@example.com --password "correct horse" add "Buy milk"
 *     node app.js list        # later, also without network: the login is kept
 *
 * It goes through what apps of Device Sync do: connect the app client with a timeout, log in or take the cached user,
 * open a synced realm at once or after a limited wait, subscribe, and be told of errors.
 */
import { parseArgs } from 'node:util';
import Realm from 'realm';

const { BSON, OpenRealmBehaviorType, OpenRealmTimeOutBehavior } = Realm;

const Team = {
  name: 'Team',
  primaryKey: '_id',
  properties: { _id: 'objectId', name: 'string' },
};
const Task = {
  name: 'Task',
  primaryKey: '_id',
  properties: {
    _id: 'objectId',
    owner_id: 'string',
    team: 'string?',
    title: 'string',
    done: { type: 'bool', default: false },
    due: 'date?',
    tags: 'string[]',
  },
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: 'string', default: 'http://127.0.0.1:9090' },
    data: { type: 'string', default: '.tasks' },
    user: { type: 'string' },
    password: { type: 'string' },
  },
});

/** Requests give up after ten seconds, and with them whoever waits for uploads and downloads. */
const app = new Realm.App({
  id: 'tasks',
  baseUrl: options.server,
  baseFilePath: options.data,
  timeout: 10_000,
});

/** The cached user, so that the app opens without network; only the first login needs one. */
async function currentUser() {
  if (app.currentUser) return app.currentUser;
  if (!options.user) return app.logIn(Realm.Credentials.anonymous());
  const { user: email, password } = options;
  try {
    await app.emailPasswordAuth.registerUser({ email, password });
  } catch (error) {
    if (!/in use/.test(error.message)) throw error;
  }
  return app.logIn(Realm.Credentials.emailPassword(email, password));
}

async function openRealm(user) {
  // Download what is new for at most a second, then go on with what is there and sync in the background.
  const behavior = {
    type: OpenRealmBehaviorType.DownloadBeforeOpen,
    timeOut: 1_000,
    timeOutBehavior: OpenRealmTimeOutBehavior.OpenLocalRealm,
  };
  return Realm.open({
    schema: [Task, Team],
    sync: {
      user,
      flexible: true,
      newRealmFileBehavior: behavior,
      existingRealmFileBehavior: behavior,
      initialSubscriptions: {
        update: (subscriptions, realm) => {
          subscriptions.add(realm.objects('Task'), { name: 'tasks' });
          subscriptions.add(realm.objects('Team'), { name: 'teams' });
        },
      },
      clientReset: { mode: 'recoverUnsyncedChanges' },
      cancelWaitsOnNonFatalError: true,
      onError: (_session, error) => {
        for (const { objectName, primaryKey, reason } of error.writes ?? []) {
          console.error(`undone: ${objectName} ${primaryKey}: ${reason}`);
        }
        if (!error.writes) console.error(`sync: ${error.message}`);
      },
    },
  });
}

const COMMANDS = {
  add(realm, user, [title, ...tags]) {
    realm.write(() => realm.create('Task', { _id: new BSON.ObjectId(), owner_id: user.id, title, tags }));
  },
  done(realm, _user, [title]) {
    realm.write(() => {
      for (const task of realm.objects('Task').filtered('title == $0', title)) task.done = true;
    });
  },
  remove(realm, _user, [title]) {
    realm.write(() => realm.delete(realm.objects('Task').filtered('title == $0', title)));
  },
  list() {},
};

const [command = 'list', ...rest] = positionals;
const run = COMMANDS[command];
if (!run) throw new Error(`no command ${command}: use add, done, remove or list`);

const user = await currentUser();
const realm = await openRealm(user);
run(realm, user, rest);
try {
  await realm.syncSession?.uploadAllLocalChanges(3_000);
  console.log(`${await user.callFunction('greet', user.profile.email ?? 'stranger')} Everything is synced.`);
} catch {
  console.log('Offline: the changes are kept and go up the next time.');
}
for (const { title, done, tags } of realm.objects('Task').sorted('title')) {
  console.log(`[${done ? 'x' : ' '}] ${title}${tags.length > 0 ? ` (${[...tags].join(', ')})` : ''}`);
}
realm.close();
// The SDK keeps its connections for a while.
process.exit(0);
