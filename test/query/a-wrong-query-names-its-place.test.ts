/** Every error says where in the text the trouble starts: the place is marked by ▷ in the texts below. */
import { describe, expect, test } from 'vitest';
import { compileQuery, evaluateCondition } from '../../src/query/compile.ts';
import { QueryError } from '../../src/query/query-error.ts';
import { SCHEMA } from './zoo.ts';

function faultOf(run: () => unknown): QueryError {
  try {
    run();
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error('no error was raised');
}

const WRONG: Readonly<Record<string, readonly (readonly [marked: string, message: RegExp])[]>> = {
  syntax: [
    ['▷', /expected a value, found the end/],
    ['   ▷', /expected a value/],
    ['age▷', /expected a comparison operator, found the end/],
    ['age ▷25', /expected a comparison operator, found '25'/],
    ['age ==▷', /expected a value, found the end/],
    ['age == ▷== 3', /expected a value, found '=='/],
    ['age == 25 ▷age', /expected AND, OR, SORT/],
    ['age == 25 AND▷', /expected a value/],
    ['age == 25 AND ▷OR age == 1', /expected a value, found 'OR'/],
    ['(age == 25▷', /expected '\)'/],
    ['age == 25▷)', /expected AND, OR/],
    ['age == 25 ▷& age == 1', /"&" begins nothing/],
    ['age ▷~ 5', /"~" begins nothing/],
    ["name == ▷'abc", /no closing '/],
    ["name == 'a▷\\qb'", /is no escape/],
    ["name == 'a▷\\u00g0'", /four hexadecimal digits/],
    ['age IN {1, 2▷', /expected ',' or '}'/],
    ['age IN {1 ▷2}', /expected ',' or '}'/],
    ['age IN {1, ▷name}', /expected a literal/],
    ['age BETWEEN ▷5', /expected '{'/],
    ['age BETWEEN {1▷}', /upper bound of BETWEEN/],
    ['age BETWEEN {1, 2▷, 3}', /after the two bounds/],
    ['age ▷BETWEEN5', /expected a comparison operator/],
    ['▷@prop == 1', /'@prop' is none of @count/],
    ['age.▷', /name of a property/],
    ['age.▷. == 1', /name of a property/],
    ['scores[▷] == 1', /expected an index/],
    ['scores[▷-1] == 1', /an index is at least 0/],
    ['scores[0 ▷== 1', /expected '\]'/],
    ['age <▷[c] 5', /\[c\] makes no sense/],
    ["name ▷TEXT 'a'", /'TEXT' is not supported/],
    ['address ▷GEOWITHIN 5', /'GEOWITHIN' is not supported/],
    ['born == ▷T1:-1', /same sign/],
    ['badge == ▷oid(123)', /24 hexadecimal digits/],
    ['token == ▷uuid(123)', /32 hexadecimal digits/],
    ['age == ▷9223372036854775808', /no 64-bit integer/],
    ['name == ▷B64"a"', /no valid base64/],
    ['friend == obj(▷Person, 1)', /name of a class in quotes/],
    ["friend == obj('Person'▷)", /expected ','/],
    ['▷foo(1) == 1', /'foo' is no function/],
    ['SUBQUERY(▷, $d, TRUEPREDICATE).@count > 0', /name of a property/],
    ['SUBQUERY(dogs, ▷d, legs > 0).@count > 0', /variable such as \$x/],
    ['SUBQUERY(dogs, $d, ▷).@count > 0', /expected a value/],
    ['SUBQUERY(dogs, $d, legs > 0) ▷> 0', /expected '\.'/],
    ['SUBQUERY(dogs, $d, legs > 0).▷@max > 0', /expected @count/],
    ['ANY ▷5 == age', /ANY needs a list/],
    ['▷AND', /expected a value/],
    ['age == ▷%x', /'%' begins a variable/],
  ],
  descriptors: [
    ['SORT▷(age ASC)', /expected|no function|comparison/],
    ['TRUEPREDICATE SORT▷', /expected '\('/],
    ['TRUEPREDICATE SORT(▷)', /name of a property/],
    ['TRUEPREDICATE SORT(age▷)', /ASC or DESC/],
    ['TRUEPREDICATE SORT(age ASC▷', /expected '\)'/],
    ['TRUEPREDICATE SORT(▷agee ASC)', /did you mean 'age'/],
    ['TRUEPREDICATE SORT(▷scores ASC)', /is a list/],
    ['TRUEPREDICATE SORT(▷dogs.name ASC)', /is a list/],
    ['TRUEPREDICATE SORT(name.▷@count ASC)', /only a property/],
    ['TRUEPREDICATE DISTINCT(▷)', /name of a property/],
    ['TRUEPREDICATE LIMIT(▷)', /number of objects/],
    ['TRUEPREDICATE LIMIT(▷-1)', /number of objects/],
    ['TRUEPREDICATE LIMIT(▷2.5)', /number of objects/],
    ['TRUEPREDICATE LIMIT(▷0xFF)', /number of objects/],
  ],
  names: [
    ['▷agee == 5', /class 'Person' has no property 'agee', did you mean 'age'\?/],
    ['▷qqqqq == 5', /class 'Person' has no property 'qqqqq' \(at/],
    ['friend.▷nam == 5', /did you mean 'name'/],
    ['dogs.▷age == 5', /class 'Dog' has no property 'age'/],
    ['age.▷years == 5', /'age' of class 'Person' has no property 'years'/],
    ['name[▷0] == 5', /cannot be indexed/],
    ['labels[▷0] == 5', /cannot be indexed/],
    ['settings[▷0] == 5', /cannot be indexed/],
    ['friend[▷0].age == 5', /cannot be indexed/],
    ['scores.▷length == 5', /has no property 'length'/],
    ['@links.▷Cat.owner.@count == 1', /class 'Cat' has no property 'owner'/],
    ['@links.▷Dog.name.@count == 1', /no property 'name' that links to 'Person'/],
    ['@links▷.5 == 1', /expected a comparison operator/],
    ['▷@links == 1', /@links\.@count/],
    ['address.▷@links.Person.address.@count == 1', /embedded objects/],
    ['@links.▷Address.keeper.@count == 1', /embedded objects/],
    ['SUBQUERY(▷age, $d, TRUEPREDICATE).@count > 0', /needs a list of objects/],
    ['SUBQUERY(▷friend, $d, TRUEPREDICATE).@count > 0', /needs a list of objects/],
    ['SUBQUERY(dogs, $d, $d.▷age == 1).@count > 0', /class 'Dog' has no property 'age'/],
    ['SUBQUERY(dogs, $d, ▷$d == 1).@count > 0', /stands for an object/],
    ['SUBQUERY(dogs, $d, ▷$e.legs == 1).@count > 0', /no property '\$e'/],
    ["friend == ▷obj('Persona', 1)", /no class 'Persona'/],
  ],
  types: [
    ["age == ▷'old'", /'age' of type 'int' cannot be compared with a value of type 'string'/],
    ['name == ▷5', /'name' of type 'string' cannot be compared/],
    ['married == ▷1', /cannot be compared/],
    ['born == ▷5', /cannot be compared/],
    ["badge == ▷'aaaaaaaaaaaaaaaaaaaaaaaa'", /cannot be compared/],
    ["photo == ▷'knife'", /cannot be compared/],
    ['name ▷== age', /'name' of type 'string' cannot be compared with 'age' of type 'int'/],
    ['badge ▷== token', /cannot be compared/],
    ['age == ▷inf', /cannot be compared with an int/],
    ['name == ▷infinity', /cannot be compared/],
    ['age IN ▷5', /IN needs a list/],
    ['age IN ▷name', /IN needs a list/],
    ['name IN ▷friend.name', /IN needs a list/],
    ['▷ANY age == 5', /ANY needs a list, and 'age' is a single value/],
    ['▷NONE friend.age == 5', /NONE needs a list/],
    ['age ▷CONTAINS name', /CONTAINS needs strings or data, and 'age'/],
    ["age LIKE ▷'x'", /cannot be compared/],
    ['age ▷==[c] 5', /==\[c\] needs strings/],
    ["friend ▷< obj('Person', 1)", /only == and != are/],
    ["friend == ▷obj('Dog', 'rex')", /links to 'Person', not to 'Dog'/],
    ["friend == ▷obj('Person', 'x')", /of type 'int', not 'string'/],
    ["friend == ▷'x'", /cannot be compared/],
    ['dogs ▷== NULL', /list of objects cannot be compared with NULL/],
    ['@links.Dog.owner ▷!= NULL', /list of objects cannot be compared with NULL/],
    ['age.▷@count == 1', /not supported on 'age' of type 'int'/],
    ['dogs.▷@sum == 1', /needs the name of a property/],
    ['name.▷@max == 1', /needs a list/],
    ['nick_names.▷@max == 1', /not supported on values of type 'string'/],
    ['dogs.▷@max.name == 1', /not supported on values of type 'string'/],
    ['dogs.▷@sum.owner == 1', /single value of each object|not supported/],
    ['name.▷@max.legs == 1', /needs a list of objects/],
    ['▷name + 1 == 2', /'\+' needs numbers, and 'name'/],
    ['age + ▷friend.name == 2', /needs numbers/],
    ['marks ▷* scores == 2', /two lists/],
    ["anything.@type == ▷'thing'", /no name of a type/],
    ['anything.@type == ▷5', /name of a type in quotes/],
    ['anything.@type ▷== age', /cannot be compared/],
    ["anything.@type ▷> 'int'", /only == and != are/],
    ["anything.@type ▷==[c] 'int'", /needs strings/],
    ['▷scores BETWEEN {1, 2}', /BETWEEN on a list needs ALL/],
    ['▷ANY scores BETWEEN {1, 2}', /BETWEEN on a list needs ALL/],
    ['friend == ▷O12', /an object key means something inside one client's file only/],
    ['friend == ▷L3:12', /an object key means/],
    ['age == (age ▷== 5)', /expected a value, found a condition/],
  ],
};

for (const [subject, table] of Object.entries(WRONG))
  describe(subject, () => {
    test.each(table)('%s', (marked, message) => {
      const text = marked.replace('▷', '');
      const fault = faultOf(() => compileQuery(text, { schema: SCHEMA, table: 'Person' }));
      expect(`${text.slice(0, fault.position)}▷${text.slice(fault.position)}`).toBe(marked);
      expect(fault.message).toMatch(message);
      expect(fault.code).toBe('query');
    });
  });

test('an error shows its surroundings, by line and column', () => {
  const fault = faultOf(() => compileQuery('age == 5\n  AND nam == 3', { schema: SCHEMA, table: 'Person' }));
  expect(fault.message).toContain('line 2, column 7');
  expect(fault.message).toContain('AND  ⟶ nam == 3');
});

test('a missing class is named, with its nearest neighbour', () => {
  expect(faultOf(() => compileQuery('TRUEPREDICATE', { schema: SCHEMA, table: 'Persn' })).message).toContain(
    "there is no class 'Persn', did you mean 'Person'?",
  );
});

test('arguments that are missing or of a wrong kind are named', () => {
  const person = { schema: SCHEMA, table: 'Person' };
  expect(faultOf(() => compileQuery('age == $0', person)).message).toContain('the argument $0 is missing');
  const fault = faultOf(() =>
    compileQuery('$K0 == 1', { ...person, arguments: [{ type: 'int', value: 1n }] }),
  );
  expect(fault.message).toContain('the argument $K0 must be a string');
  expect(faultOf(() => compileQuery('age == %%user.id', person)).message).toContain(
    "'%%user.id' is not known here",
  );
});

test('a condition without objects knows no properties and no order', () => {
  const variables = () => undefined;
  expect(faultOf(() => evaluateCondition('1 == 1 AND age == 5', variables)).position).toBe(11);
  expect(faultOf(() => evaluateCondition('1 == 1 LIMIT(1)', variables)).position).toBe(7);
});

describe('limits', () => {
  const person = { schema: SCHEMA, table: 'Person' };

  test('200 levels of parentheses compile, 201 are refused', () => {
    const nested = (levels: number) => `${'('.repeat(levels)}age == 1${')'.repeat(levels)}`;
    expect(compileQuery(nested(200), person).canonical).toBe('age == 1');
    expect(faultOf(() => compileQuery(nested(201), person)).message).toContain('more than 200 levels');
    expect(faultOf(() => compileQuery(nested(100_000), person)).message).toContain('more than 200 levels');
  });

  test('long chains of operators and paths are refused instead of overflowing the stack', () => {
    expect(faultOf(() => compileQuery(`age${' + 1'.repeat(100_000)} == 1`, person)).message).toContain(
      '200 levels',
    );
    expect(faultOf(() => compileQuery(`${'friend.'.repeat(50_000)}age == 1`, person)).message).toContain(
      '200 steps',
    );
    expect(compileQuery(`${'!'.repeat(100_001)}age == 1`, person).canonical).toBe('NOT age == 1');
  });

  test('a calculation has 200 operators, however they are grouped', () => {
    const sum = (terms: number) => `(age${' + age'.repeat(terms)})`;
    const most = compileQuery(`${sum(99)} + ${sum(100)} == 1`, person);
    expect(compileQuery(most.canonical, person).canonical).toBe(most.canonical);
    expect(faultOf(() => compileQuery(`${sum(100)} + ${sum(100)} == 1`, person)).message).toContain(
      '200 operators',
    );
  });

  test('tens of thousands of alternatives are one hash', () => {
    const text = Array.from({ length: 50_000 }, (_, i) => `age == ${i}`).join(' OR ');
    const query = compileQuery(text, person);
    expect(query.canonical.startsWith('age IN {0, 1, 10, 100')).toBe(true);
    expect(compileQuery(query.canonical, person).canonical).toBe(query.canonical);
  });

  test('a text longer than a million characters is refused', () => {
    const fault = faultOf(() => compileQuery(`age == 1 ${' '.repeat(1024 * 1024)}`, person));
    expect(fault.message).toContain('longer than 1048576 characters');
  });

  test('a pattern longer than 1,024 characters is refused', () => {
    expect(faultOf(() => compileQuery(`name LIKE '${'*a'.repeat(600)}'`, person)).message).toContain(
      'pattern of LIKE',
    );
  });
});
