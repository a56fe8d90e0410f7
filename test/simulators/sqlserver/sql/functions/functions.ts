/** The functions that need no catalog, by name. */
import { SqlFailure } from '../../contract.ts';
import type { FunctionCall } from '../ast.ts';
import { compileExpression } from '../expressions/compile.ts';
import type { Compiled, Scope } from '../expressions/scope.ts';
import { CHARACTER_FUNCTIONS } from './characters.ts';
import { COLLATION_FUNCTIONS } from './collation-property.ts';
import { DATE_PART_FUNCTIONS } from './date-parts.ts';
import { DATE_FUNCTIONS } from './dates.ts';
import type { FunctionTable } from './definition.ts';
import { HASH_FUNCTIONS } from './hashes.ts';
import { compileHierarchyCall } from './hierarchies.ts';
import { JSON_FUNCTIONS } from './json.ts';
import { NULL_FUNCTIONS } from './nulls.ts';
import { NUMBER_FUNCTIONS } from './numbers.ts';
import { STRING_BUILDING_FUNCTIONS } from './string-building.ts';
import { STRING_FUNCTIONS } from './strings.ts';
import { TIME_ZONE_FUNCTIONS } from './time-zones.ts';
import { VARIANT_FUNCTIONS } from './variants.ts';

const FUNCTIONS: FunctionTable = {
  ...NULL_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...STRING_BUILDING_FUNCTIONS,
  ...CHARACTER_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...DATE_FUNCTIONS,
  ...DATE_PART_FUNCTIONS,
  ...TIME_ZONE_FUNCTIONS,
  ...JSON_FUNCTIONS,
  ...HASH_FUNCTIONS,
  ...VARIANT_FUNCTIONS,
  ...COLLATION_FUNCTIONS,
};

/** Throws 195 for an unknown function, 4121 for an unknown one with a schema, 174 and 189 for wrong numbers of arguments. */
export function compileFunction<Env>(call: FunctionCall, scope: Scope<Env>): Compiled<Env> {
  const { name, line } = call;
  const hierarchy = compileHierarchyCall(call, scope);
  if (hierarchy !== undefined) return hierarchy;
  if (name.includes('.')) throw unknownMember(name, line);
  const definition = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (
    definition === undefined ||
    call.over !== undefined ||
    call.star ||
    call.distinct ||
    call.withinGroup !== undefined
  )
    throw new SqlFailure(195, `'${name}' is not a recognized built-in function name.`, {
      severity: 15,
      line,
      state: 10,
    });
  const { minimal, maximal } = definition;
  const count = call.arguments.length;
  if (count < minimal || count > maximal) throw wrongCount(name.toLowerCase(), minimal, maximal, line);
  const args = call.arguments.map((argument) => compileExpression(argument, scope));
  return definition.compile({ call, name: name.toLowerCase(), line, args, scope });
}

function unknownMember(name: string, line: number): SqlFailure {
  const shown = name.toLowerCase();
  const first = shown.split('.')[0];
  const message = `Cannot find either column "${first}" or the user-defined function or aggregate "${shown}", or the name is ambiguous.`;
  return new SqlFailure(4121, message, { line });
}

function wrongCount(name: string, minimal: number, maximal: number, line: number): SqlFailure {
  if (minimal === maximal)
    return new SqlFailure(174, `The ${name} function requires ${minimal} argument(s).`, {
      severity: 15,
      line,
    });
  return new SqlFailure(189, `The ${name} function requires ${minimal} to ${maximal} arguments.`, {
    severity: 15,
    line,
  });
}
