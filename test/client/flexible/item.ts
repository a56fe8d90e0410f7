/** The class of the tests of flexible sync. */
export const ITEM = {
  name: 'Item',
  primaryKey: '_id',
  properties: { _id: 'int', n: { type: 'int', default: 0 }, text: 'string?', other: 'Item?' },
};
