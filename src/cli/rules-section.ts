/** The `rules` of the `server` section. What the texts in them mean is checked where they are compiled. */
import { z } from 'zod';
import { flag, text } from '../config/validation.ts';
import { PATH_LEVELS } from '../server/rules/options.ts';

const condition = (example: string) =>
  z.union([z.boolean(), z.string().min(1)], { error: `true, false or a condition such as ${example}` });

const fieldRule = z.strictObject(
  { read: flag().optional(), write: flag().optional() },
  { error: '{ read, write }, each true or false' },
);

const role = z.strictObject(
  {
    name: text('the name of the role'),
    applyWhen: condition("%%user.custom_data.team == 'ops'").optional(),
    read: condition('owner == %%user.id').optional(),
    write: condition('owner == %%user.id').optional(),
    insert: flag().optional(),
    delete: flag().optional(),
    fields: z.record(z.string(), fieldRule, { error: 'rights by the name of the field' }).optional(),
    additionalFields: fieldRule.optional(),
  },
  { error: 'a role, { name, applyWhen, read, write, … }' },
);

const classRule = z.strictObject(
  { roles: z.array(role, { error: 'a list of roles' }) },
  { error: '{ roles: […] }' },
);

const pathRule = z.strictObject(
  {
    path: text('a path such as /news or /~/**'),
    users: text("'all' or a condition such as %%user.custom_data.team == 'ops'").optional(),
    access: z.enum(PATH_LEVELS, { error: `one of ${PATH_LEVELS.join(', ')}` }),
  },
  { error: 'a rule, { path, users, access }' },
);

export const rulesSchema = z.strictObject(
  {
    classes: z.record(z.string(), classRule, { error: 'rules by the name of the class' }).optional(),
    paths: z.array(pathRule, { error: 'a list of rules' }).optional(),
  },
  { error: '{ classes, paths }' },
);
