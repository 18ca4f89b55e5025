/** Writes XML as text: elements with attributes in the order given, so that equal input gives equal bytes. */

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function open(name: string, attributes: Attributes): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escape(String(value))}"`);
  return `<${name}${list.join('')}`;
}

/** An element with children, one on a line; without children an empty element. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  if (children.length === 0) return `${open(name, attributes)}/>`;
  return `${open(name, attributes)}>\n${children.join('\n')}\n</${name}>`;
}

/** An element with text in it. */
export function textElement(name: string, attributes: Attributes, text: string): string {
  return `${open(name, attributes)}>${escape(text)}</${name}>`;
}

/** `PT…S` for microseconds, exact and as short as possible. */
export function isoDuration(us: number): string {
  const text = (us / 1e6).toFixed(6).replace(/\.?0+$/, '');
  return `PT${text}S`;
}
