import { IsthmusError } from '../errors.ts';

/** A mistake in a schema, or a schema that a realm cannot take on. Names the class and the property. */
export class SchemaError extends IsthmusError {
  readonly code = 'invalid-schema';
  readonly className: string | undefined;
  readonly property: string | undefined;

  constructor(
    place: { readonly className?: string; readonly property?: string },
    reason: string,
    remedy?: string,
  ) {
    super(`${placeName(place)}: ${reason}`, remedy === undefined ? {} : { remedy });
    this.className = place.className;
    this.property = place.property;
  }
}

function placeName({ className, property }: { className?: string; property?: string }): string {
  if (className === undefined) return 'schema';
  return property === undefined ? `class ${className}` : `property ${className}.${property}`;
}
