/**
 * What users of apps in the browser do, with realm-web as its vendor shipped it. The same journeys run in Node and in a
 * browser page: each gets the library, the app, and the test's own helpers, and returns what the test then looks at.
 */
const PASSWORD = 'correct horse';

let people = 0;
function newAddress() {
  people += 1;
  return `person${people}-${Math.random().toString(36).slice(2)}@example.com`;
}

/** Keeps what another device would keep apart. */
function memory() {
  const kept = new Map();
  const prefixed = (prefix) => ({
    get: (key) => kept.get(prefix + key) ?? null,
    set: (key, value) => kept.set(prefix + key, value),
    remove: (key) => kept.delete(prefix + key),
    prefix: (part) => prefixed(`${prefix}${part}:`),
    clear: (part = '') => {
      for (const key of [...kept.keys()]) if (key.startsWith(prefix + part)) kept.delete(key);
    },
    addListener: () => {},
    removeListener: () => {},
  });
  return prefixed('');
}

async function registered({ app, mailFor }) {
  const email = newAddress();
  await app.emailPasswordAuth.registerUser({ email, password: PASSWORD });
  await app.emailPasswordAuth.confirmUser(await mailFor(email));
  return email;
}

/** What the library says of a failure. */
async function failure(promise) {
  try {
    await promise;
    return 'nothing failed';
  } catch (error) {
    const { name, statusCode, errorCode } = error;
    return { name, statusCode, errorCode };
  }
}

function kinds(user) {
  return user.identities.map(({ providerType }) => providerType).sort();
}

export const JOURNEYS = {
  async anonymous({ Realm, app }) {
    const user = await app.logIn(Realm.Credentials.anonymous(false));
    const seen = { state: user.state, identities: kinds(user), isCurrent: app.currentUser.id === user.id };
    await user.logOut();
    return { ...seen, after: user.state };
  },

  async emailPassword(world) {
    const { Realm, app, mailFor } = world;
    const email = newAddress();
    await app.emailPasswordAuth.registerUser({ email, password: PASSWORD });
    const { emailPassword } = Realm.Credentials;
    const unconfirmed = await failure(app.logIn(emailPassword(email, PASSWORD)));
    const twice = await failure(app.emailPasswordAuth.registerUser({ email, password: PASSWORD }));
    const badToken = await failure(app.emailPasswordAuth.confirmUser({ token: 'no', tokenId: 'no' }));
    await app.emailPasswordAuth.confirmUser(await mailFor(email));
    const wrong = await failure(app.logIn(emailPassword(email, 'wrong horse')));
    const user = await app.logIn(emailPassword(email, PASSWORD));
    const again = await failure(app.emailPasswordAuth.resendConfirmationEmail({ email }));
    return { unconfirmed, twice, badToken, wrong, again, profileIsOwn: user.profile.email === email };
  },

  async passwordReset(world) {
    const { Realm, app, mailFor } = world;
    const email = await registered(world);
    await app.emailPasswordAuth.sendResetPasswordEmail({ email });
    const { token, tokenId } = await mailFor(email);
    await app.emailPasswordAuth.resetPassword({ token, tokenId, password: 'another horse' });
    const usedTwice = await failure(
      app.emailPasswordAuth.resetPassword({ token, tokenId, password: 'a third horse' }),
    );
    const old = await failure(app.logIn(Realm.Credentials.emailPassword(email, PASSWORD)));
    const user = await app.logIn(Realm.Credentials.emailPassword(email, 'another horse'));
    const unknown = await failure(app.emailPasswordAuth.sendResetPasswordEmail({ email: newAddress() }));
    return { usedTwice, old, unknown, state: user.state };
  },

  async customToken({ Realm, app, customToken }) {
    const user = await app.logIn(Realm.Credentials.jwt(await customToken('jane')));
    const again = await app.logIn(Realm.Credentials.jwt(await customToken('jane')));
    const forged = await failure(app.logIn(Realm.Credentials.jwt('e30.e30.e30')));
    return { identities: kinds(user), name: user.profile.name, same: user.id === again.id, forged };
  },

  async customFunction({ Realm, app }) {
    const user = await app.logIn(Realm.Credentials.function({ ticket: 'good', of: 'joe' }));
    const again = await app.logIn(Realm.Credentials.function({ ticket: 'good', of: 'joe' }));
    const bad = await failure(app.logIn(Realm.Credentials.function({ ticket: 'bad' })));
    return { identities: kinds(user), same: user.id === again.id, bad };
  },

  async linking(world) {
    const { Realm, app } = world;
    const email = await registered(world);
    const user = await app.logIn(Realm.Credentials.anonymous(false));
    await user.linkCredentials(Realm.Credentials.emailPassword(email, PASSWORD));
    const linked = { identities: kinds(user) };
    const other = await app.logIn(Realm.Credentials.emailPassword(email, PASSWORD));
    const stranger = await app.logIn(Realm.Credentials.anonymous(false));
    const taken = await failure(stranger.linkCredentials(Realm.Credentials.emailPassword(email, PASSWORD)));
    return { ...linked, same: other.id === user.id, taken };
  },

  async apiKeys(world) {
    const { Realm, app, serverUrl } = world;
    const user = await app.logIn(Realm.Credentials.emailPassword(await registered(world), PASSWORD));
    const { _id, key, name } = await user.apiKeys.create('laptop');
    const twice = await failure(user.apiKeys.create('laptop'));
    const listed = (await user.apiKeys.fetchAll()).map((each) => each.name);
    const elsewhere = new Realm.App({ id: 'isthmus', baseUrl: serverUrl, storage: memory() });
    const asKey = await elsewhere.logIn(Realm.Credentials.apiKey(key));
    await user.apiKeys.disable(_id);
    const disabled = await failure(elsewhere.logIn(Realm.Credentials.apiKey(key)));
    const state = (await user.apiKeys.fetch(_id)).disabled;
    await user.apiKeys.enable(_id);
    await elsewhere.logIn(Realm.Credentials.apiKey(key));
    await user.apiKeys.delete(_id);
    const gone = await failure(user.apiKeys.fetch(_id));
    return { name, listed, twice, same: asKey.id === user.id, disabled, state, gone };
  },

  async functions({ Realm, app }) {
    const user = await app.logIn(Realm.Credentials.anonymous(false));
    const date = new Date(1_700_000_000_123);
    const echoed = await user.functions.echo({ n: 1, date, list: [true, null, 'x'] });
    return {
      sum: await user.functions.sum(1, 2),
      called: await user.callFunction('sum', 3, 4),
      echoed: { ...echoed, date: echoed.date.getTime() },
      nothing: await user.functions.nothing(),
      misleading: await user.functions.misleading(),
      who: (await user.functions.who()) === user.id,
      unknown: await failure(user.functions.missing()),
      failing: await failure(user.functions.fail('on purpose')),
    };
  },

  async sessions({ Realm, app, serverUrl }) {
    const user = await app.logIn(Realm.Credentials.anonymous(false));
    // As when it has expired: the library finds out by a 401 and gets a new one.
    user._accessToken = `${user.accessToken.slice(0, -4)}AAAA`;
    const afterExpiry = await user.functions.sum(2, 2);
    const old = user.accessToken;
    await user.refreshAccessToken();
    const refreshed = typeof user.accessToken === 'string' && typeof old === 'string';
    const { refreshToken } = user;
    await user.logOut();
    const response = await fetch(`${serverUrl}/api/client/v2.0/auth/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${refreshToken}` },
    });
    return { afterExpiry, refreshed, afterLogOut: [response.status, (await response.json()).error_code] };
  },

  async customData({ Realm, app, setCustomData }) {
    const user = await app.logIn(Realm.Credentials.anonymous(false));
    const before = user.customData;
    await setCustomData(user.id, { team: 'red', size: 3 });
    return { before, after: await user.refreshCustomData() };
  },

  async deletion(world) {
    const { Realm, app } = world;
    const email = await registered(world);
    const user = await app.logIn(Realm.Credentials.emailPassword(email, PASSWORD));
    await app.deleteUser(user);
    return { after: await failure(app.logIn(Realm.Credentials.emailPassword(email, PASSWORD))) };
  },
};
