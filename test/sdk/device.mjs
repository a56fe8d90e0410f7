/**
 * A device: a process with the real Realm SDK, told what to do over IPC. A process of its own, because a mistake of the
 * server can end the SDK's process, which is one of the things that the tests watch for.
 *
 * Started with the folder of the `realm` package and a folder for its files. Every request names one of the operations
 * below; values travel as extended JSON.
 */
import { createRequire } from 'node:module';

const [sdkFolder, directory] = process.argv.slice(2);
const Realm = createRequire(import.meta.url)(sdkFolder);
const { EJSON } = Realm.BSON;
// A device talks only when it is asked.
Realm.setLogLevel(process.env.ISTHMUS_TEST_REALM_LOG ?? 'off');

/** The classes that apps of the tests have. */
const Person = {
  name: 'Person',
  primaryKey: '_id',
  properties: { _id: 'objectId', name: 'string', team: 'string?', dogs: 'Dog[]' },
};
const Dog = {
  name: 'Dog',
  primaryKey: '_id',
  properties: { _id: 'int', name: 'string', age: 'int?', owner: 'Person?' },
};
const Address = { name: 'Address', embedded: true, properties: { street: 'string?', city: 'string?' } };
/** What the SDK knows as a place on earth. */
const Spot = {
  name: 'Spot',
  embedded: true,
  properties: { type: { type: 'string', default: 'Point' }, coordinates: 'double[]' },
};
const Task = {
  name: 'Task',
  primaryKey: '_id',
  properties: {
    _id: 'int',
    owner_id: 'string?',
    title: 'string?',
    done: { type: 'bool', default: false },
    priority: 'int?',
    due: 'date?',
    price: 'decimal128?',
    ratio: 'double?',
    photo: 'data?',
    uid: 'uuid?',
    anything: 'mixed',
    tags: 'string[]',
    labels: 'string<>',
    counts: 'int{}',
    place: 'Address',
    places: 'Address[]',
    spot: 'Spot',
    parent: 'Task?',
    assignees: 'Person[]',
  },
};
const Reading = {
  name: 'Reading',
  asymmetric: true,
  primaryKey: '_id',
  properties: { _id: 'objectId', value: 'double', taken: 'date' },
};
const SCHEMA = [Person, Dog, Address, Spot, Task];
const FLEXIBLE_SCHEMA = [...SCHEMA, Reading];

let app;
const realms = new Map();
/** What the SDK reported to the app, in order. */
const reports = [];

function user() {
  return app.currentUser;
}

function credentials({ provider, ...rest }) {
  const { Credentials } = Realm;
  switch (provider) {
    case 'anon-user':
      return Credentials.anonymous(false);
    case 'local-userpass':
      return Credentials.emailPassword(rest.email, rest.password);
    case 'api-key':
      return Credentials.apiKey(rest.key);
    case 'custom-token':
      return Credentials.jwt(rest.token);
    case 'custom-function':
      return Credentials.function(rest.payload);
    default:
      throw new Error(`no provider ${provider}`);
  }
}

function describeError(error) {
  return {
    name: error.name,
    code: error.code,
    errorCode: error.errorCode,
    message: error.message,
    ...(error.writes && {
      writes: error.writes.map(({ objectName, primaryKey, reason }) => ({
        objectName,
        primaryKey: typeof primaryKey === 'bigint' ? Number(primaryKey) : primaryKey,
        reason,
      })),
    }),
  };
}

function clientReset(mode) {
  const note = (kind) => () => reports.push({ kind });
  return {
    mode,
    onBefore: note('before reset'),
    onAfter: note('after reset'),
    onDiscard: note('discarded'),
    onRecovery: note('recovered'),
    onFallback: note('fallback'),
    onManual: note('manual reset'),
  };
}

function configuration({ flexible, partition, behaviour, reset, classes, name }) {
  const all = flexible ? FLEXIBLE_SCHEMA : SCHEMA;
  const openBehaviour = behaviour && { type: behaviour };
  return {
    schema: classes ? all.filter((definition) => classes.includes(definition.name)) : all,
    path: `${directory}/${name}.realm`,
    sync: {
      user: user(),
      ...(flexible ? { flexible: true } : { partitionValue: partition }),
      ...(openBehaviour && { newRealmFileBehavior: openBehaviour, existingRealmFileBehavior: openBehaviour }),
      ...(reset && { clientReset: clientReset(reset) }),
      onError: (_session, error) => reports.push({ kind: 'error', ...describeError(error) }),
    },
  };
}

function realmNamed(name) {
  const realm = realms.get(name);
  if (!realm) throw new Error(`no realm ${name} is open`);
  return realm;
}

function find(realm, table, key) {
  const object = realm.objectForPrimaryKey(table, key);
  if (!object) throw new Error(`no ${table} ${key}`);
  return object;
}

/** Links are given as `{ link: [class, key] }`. */
function linked(realm, value) {
  if (Array.isArray(value)) return value.map((item) => linked(realm, item));
  if (value !== null && typeof value === 'object' && 'link' in value) return find(realm, ...value.link);
  return value;
}

function linkedValues(realm, values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, linked(realm, value)]));
}

const CHANGES = {
  create: (realm, { table, values, mode }) => realm.create(table, linkedValues(realm, values), mode),
  set: (realm, { table, key, values }) => Object.assign(find(realm, table, key), linkedValues(realm, values)),
  erase: (realm, { table, key }) => realm.delete(find(realm, table, key)),
  push: (realm, { table, key, field, value }) => find(realm, table, key)[field].push(linked(realm, value)),
  insert: (realm, { table, key, field, index, value }) =>
    find(realm, table, key)[field].splice(index, 0, linked(realm, value)),
  remove: (realm, { table, key, field, index }) => find(realm, table, key)[field].splice(index, 1),
  add: (realm, { table, key, field, value }) => find(realm, table, key)[field].add(value),
  put: (realm, { table, key, field, entries }) => Object.assign(find(realm, table, key)[field], entries),
  many: (realm, { table, from, count, values }) => {
    for (let id = from; id < from + count; id += 1) realm.create(table, { _id: id, ...values });
  },
};

function plain(value, depth = 0) {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Realm.Object) {
    if (depth > 0 && !value.objectSchema().embedded) return { link: value._id };
    const { properties } = value.objectSchema();
    return Object.fromEntries(Object.keys(properties).map((name) => [name, plain(value[name], depth + 1)]));
  }
  if (value instanceof Realm.List || value instanceof Realm.Set || value instanceof Realm.Results) {
    return [...value].map((item) => plain(item, depth + 1));
  }
  if (value instanceof Realm.Dictionary) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
  }
  return value;
}

async function waited(promise) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the SDK did not come to an end in time')), 30_000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const OPERATIONS = {
  app({ url, id = 'isthmus' }) {
    app = new Realm.App({ id, baseUrl: url, baseFilePath: directory });
  },
  async register({ email, password }) {
    await app.emailPasswordAuth.registerUser({ email, password });
  },
  async logIn(given) {
    const who = await app.logIn(credentials(given));
    return { id: who.id, customData: who.customData, identities: who.identities };
  },
  async link(given) {
    await user().linkCredentials(credentials(given));
    return { id: user().id, identities: user().identities };
  },
  async logOut() {
    await user().logOut();
  },
  async refreshCustomData() {
    return user().refreshCustomData();
  },
  async call({ name, args }) {
    return user().callFunction(name, ...args);
  },
  async createApiKey({ name }) {
    return user().apiKeys.create(name);
  },
  async deleteUser() {
    await app.deleteUser(user());
  },
  state: () => ({ loggedIn: user() !== null, id: user()?.id }),

  async open(options) {
    const realm = await waited(Realm.open(configuration(options)));
    realms.set(options.name, realm);
  },
  close({ name }) {
    realmNamed(name).close();
    realms.delete(name);
  },
  async subscribe({ name, add = [], remove = [], removeAll = false }) {
    const realm = realmNamed(name);
    await waited(
      realm.subscriptions.update((subscriptions) => {
        if (removeAll) subscriptions.removeAll();
        for (const subscription of remove) subscriptions.removeByName(subscription);
        for (const [table, query, subscription] of add) {
          subscriptions.add(query ? realm.objects(table).filtered(query) : realm.objects(table), {
            ...(subscription && { name: subscription }),
          });
        }
      }),
    );
    return { state: realm.subscriptions.state, version: Number(realm.subscriptions.version) };
  },
  /** As `subscribe`, without waiting for the server. */
  subscribeLocally({ name, add }) {
    const realm = realmNamed(name);
    // The SDK's promise of an update ends with the update; nobody here is interested.
    realm.subscriptions
      .update((subscriptions) => {
        for (const [table, query] of add)
          subscriptions.add(query ? realm.objects(table).filtered(query) : realm.objects(table));
      })
      .catch(() => {});
  },
  subscriptions: ({ name }) => {
    const { subscriptions } = realmNamed(name);
    return { state: subscriptions.state, error: subscriptions.error, length: subscriptions.length };
  },
  write({ name, changes }) {
    const realm = realmNamed(name);
    realm.write(() => {
      for (const { change, ...rest } of changes) CHANGES[change](realm, rest);
    });
  },
  read: ({ name, table, query }) => {
    const objects = realmNamed(name).objects(table);
    return (query ? objects.filtered(query) : objects).sorted('_id').map((object) => plain(object));
  },
  count: ({ name, table }) => realmNamed(name).objects(table).length,
  async sync({ name }) {
    const { syncSession } = realmNamed(name);
    await waited(syncSession.uploadAllLocalChanges());
    await waited(syncSession.downloadAllServerChanges());
  },
  pause: ({ name }) => realmNamed(name).syncSession.pause(),
  resume: ({ name }) => realmNamed(name).syncSession.resume(),
  reports: () => reports.splice(0),
};

process.on('message', async ({ id, operation, given }) => {
  try {
    const result = await OPERATIONS[operation](EJSON.parse(given));
    process.send({ id, result: EJSON.stringify({ value: result ?? null }, { relaxed: true }) });
  } catch (error) {
    process.send({ id, error: describeError(error) });
  }
});
process.send({ ready: true });
