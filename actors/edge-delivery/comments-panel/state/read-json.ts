/** Takes values out of what a server sent, which may be anything. What has another type counts as absent. */

export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const found: unknown = Reflect.get(value, name);
  return found;
}

export function textOf(value: unknown, name: string): string | undefined {
  const found = fieldOf(value, name);
  return typeof found === 'string' ? found : undefined;
}

export function numberOf(value: unknown, name: string): number | undefined {
  const found = fieldOf(value, name);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

export function flagOf(value: unknown, name: string): boolean {
  return fieldOf(value, name) === true;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Milliseconds since 1970; undefined for what is no time. */
export function timeOf(value: unknown, name: string): number | undefined {
  const ms = Date.parse(textOf(value, name) ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** Undefined for text that is no JSON. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
