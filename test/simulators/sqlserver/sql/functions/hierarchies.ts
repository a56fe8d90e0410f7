/** `c.ToString()`, `hierarchyid::Parse(x)` and `hierarchyid::GetRoot()`. */
import { SqlFailure } from '../../contract.ts';
import type { FunctionCall } from '../ast.ts';
import { coerce } from '../expressions/coerce.ts';
import { compileExpression } from '../expressions/compile.ts';
import type { Compiled, Scope } from '../expressions/scope.ts';
import { hierarchyText, parseHierarchy } from '../types/hierarchyid.ts';
import { messageName } from '../types/type-names.ts';
import { NVARCHAR_MAX, strict } from './definition.ts';

const METHOD = /^(.+)\.TOSTRING$/;

/** `undefined` for calls that are none of hierarchyid's. */
export function compileHierarchyCall<Env>(call: FunctionCall, scope: Scope<Env>): Compiled<Env> | undefined {
  const { name, line } = call;
  if (name === 'HIERARCHYID::GETROOT') return strict({ kind: 'hierarchyid' }, [], () => parseHierarchy('/'));
  if (name === 'HIERARCHYID::PARSE') {
    const text = coerce(compileExpression(call.arguments[0]!, scope), NVARCHAR_MAX, scope, line);
    return strict({ kind: 'hierarchyid' }, [text], (value) => parseHierarchy(value as string));
  }
  const operand = receiver(call, scope);
  if (operand === undefined) return undefined;
  if (operand.type.kind !== 'hierarchyid')
    throw new SqlFailure(258, `Cannot call methods on ${messageName(operand.type)}.`, { severity: 15, line });
  const text = strict({ kind: 'nvarchar', length: 4000 }, [operand], (value) =>
    hierarchyText(value as Uint8Array),
  );
  return { ...text, collation: { name: scope.session.collation, label: 'coercible' } };
}

/** What ToString is called on. */
function receiver<Env>(
  { name, line, arguments: args }: FunctionCall,
  scope: Scope<Env>,
): Compiled<Env> | undefined {
  if (name === '.TOSTRING' && args.length === 1) return compileExpression(args[0]!, scope);
  const column = METHOD.exec(name)?.[1];
  return column === undefined || args.length > 0 ? undefined : scope.column(column.split('.'), line);
}
