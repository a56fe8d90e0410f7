/** What journeys ask of the site beside the app. */
export function helpersOf(siteUrl, serverUrl) {
  const ask = async (path, query) => (await fetch(`${siteUrl}${path}?${new URLSearchParams(query)}`)).text();
  return {
    serverUrl,
    mailFor: async (to) => JSON.parse(await ask('/mail', { to })),
    customToken: (user) => ask('/token', { for: user }),
    setCustomData: async (user, data) => {
      const done = await ask('/custom-data', { user, data: JSON.stringify(data) });
      if (done !== 'done') throw new Error(done);
    },
  };
}
