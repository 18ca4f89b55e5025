/** Writes attribute lists of HLS tags (RFC 8216bis 4.2). */

/** A value that is written in quotes. */
export function quoted(text: string): string {
  // A quoted string has no escape, so forbidden characters are left out.
  return `"${text.replaceAll(/["\r\n]/g, '')}"`;
}

/** `#TAG:NAME=value,…`; undefined values are left out. */
export function tag(name: string, attributes: Readonly<Record<string, string | number | undefined>>): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`);
  return `#${name}:${list.join(',')}`;
}
