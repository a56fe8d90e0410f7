/**
 * A to-do list that works offline, on the client that comes with Isthmus:
 *
 *     node examples/tasks.ts http://127.0.0.1:9090 ann@example.com "correct horse" .tasks add "Buy milk"
 *     node examples/tasks.ts http://127.0.0.1:9090 ann@example.com "correct horse" .tasks list
 *
 * The last of the fixed arguments is the folder of this device; another folder is another device. For the same app on
 * the Realm SDK see examples/tasks-app, whose configuration suits this one, too.
 */
import { randomUUID } from 'node:crypto';
import { logIn, openRealm } from '../src/index.ts';

type Task = { _id: string; owner_id: string; title: string; done: boolean };

const TASK = {
  name: 'Task',
  primaryKey: '_id',
  properties: { _id: 'string', owner_id: 'string', title: 'string', done: 'bool' },
};

const [baseUrl = '', username = '', password = '', directory = '', command = 'list', title = ''] =
  process.argv.slice(2);

const user = await logIn({ baseUrl, credentials: { provider: 'local-userpass', username, password } });
const { realm, uploaded, downloaded, close } = openRealm({
  user,
  directory,
  schema: [TASK],
  initialSubscriptions: {
    update: (subscriptions, opened) => subscriptions.add(opened.objects<Task>('Task'), { name: 'tasks' }),
  },
  onCompensatingWrite: ({ rejected }) => {
    for (const { table, reason } of rejected) console.error(`undone: ${table}: ${reason}`);
  },
});
await realm.subscriptions.waitForSynchronization();

realm.write(() => {
  const named = realm.objects<Task>('Task').filtered('title == $0', title);
  if (command === 'add') {
    realm.create<Task>('Task', { _id: randomUUID(), owner_id: user.id, title, done: false });
  } else if (command === 'done') {
    for (const task of named) task.done = true;
  } else if (command === 'remove') {
    for (const task of [...named]) realm.delete(task);
  }
});
await uploaded();
await downloaded();
for (const task of realm.objects<Task>('Task').sorted('title')) {
  console.log(`[${task.done ? 'x' : ' '}] ${task.title}`);
}
await close();
