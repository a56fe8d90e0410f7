/** The names in a declaration of parameters such as `@key int, @name nvarchar(40) OUTPUT`, in their order. */
export function declaredNames(declaration: string): readonly string[] {
  const names: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= declaration.length; index++) {
    const character = declaration[index];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === undefined || (character === ',' && depth === 0)) {
      const name = /^\s*(@[^\s,]+)/u.exec(declaration.slice(start, index))?.[1];
      if (name !== undefined) names.push(name);
      start = index + 1;
    }
  }
  return names;
}
