/** The server for the tasks app: `npx isthmus server --config examples/tasks-app/config.ts`. */
export default {
  server: {
    dataDirectory: './isthmus-data',
    port: 9090,
    appId: 'tasks',

    // Subscriptions are answered from the realm `/`; apps may bring new classes and properties along.
    flexibleSync: { schema: 'additive', indexes: { Task: ['owner_id'] } },

    rules: {
      classes: {
        Task: {
          roles: [
            // Whoever leads a team sees what its members do; custom data is set with `isthmus user data`.
            {
              name: 'lead',
              applyWhen: '%%user.custom_data.leads != NULL',
              read: 'team == %%user.custom_data.leads OR owner_id == %%user.id',
              write: 'owner_id == %%user.id',
            },
            { name: 'owner', read: 'owner_id == %%user.id', write: 'owner_id == %%user.id' },
          ],
        },
        // Everybody knows the teams, nobody changes them.
        Team: { roles: [{ name: 'everybody', read: true }] },
      },
    },

    functions: {
      greet: (name: string) => `Hello, ${name}!`,
    },
  },
};
