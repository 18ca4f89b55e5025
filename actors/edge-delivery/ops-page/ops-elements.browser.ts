/** Makes the elements of the operator page. Text is inserted as text, so the name of a stream or of an encoder never becomes markup. */
import type { Line, Mark, Tone } from './ops-words.ts';

const toneClass: Readonly<Record<Tone, string>> = {
  good: 'good',
  warn: 'warn-text',
  bad: 'bad',
  quiet: 'quiet',
};

/** @throws Error when the page has no such element */
export function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no #${id}`);
  return element;
}

export function element(
  tag: string,
  content: string | readonly Node[] = '',
  attributes: Readonly<Record<string, string>> = {},
): HTMLElement {
  const made = document.createElement(tag);
  if (typeof content === 'string') made.textContent = content;
  else made.append(...content);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function button(label: string, name: string, onClick: () => void): HTMLElement {
  const made = element('button', label, { class: 'button', type: 'button', 'aria-label': name });
  made.addEventListener('click', onClick);
  return made;
}

export function markElement({ text, tone }: Mark): HTMLElement {
  return element('span', text, { class: `state ${toneClass[tone]}` });
}

export function lineElement({ text, detail, tone }: Line): HTMLElement {
  const said = element('span', text, tone === undefined ? {} : { class: toneClass[tone] });
  const more = detail === undefined || detail === '' ? [] : [element('small', detail)];
  return element('span', [said, ...more], { class: 'line' });
}

/** A table row. Each cell carries the name of its column, which the layout for phones shows. */
export function row(key: string, cells: readonly (readonly [string, readonly Node[]])[]): HTMLElement {
  const columns = cells.map(([label, content]) => {
    const box = element('div', content);
    return element('td', [box], { 'data-label': label });
  });
  return element('tr', columns, { 'data-key': key });
}

/** Shows the rows, and leaves unchanged rows untouched, so that the focus and a pressed button stay. */
export function showRows(body: HTMLElement, rows: readonly HTMLElement[]): void {
  const before = new Map([...body.children].map((child) => [child.getAttribute('data-key'), child]));
  const next = rows.map((made) => {
    const old = before.get(made.getAttribute('data-key'));
    if (old === undefined) return made;
    return updateRow(old, made);
  });
  const isSame =
    next.length === body.children.length && next.every((made, index) => body.children[index] === made);
  if (!isSame) body.replaceChildren(...next);
}

/** Replaces only the cells that differ, so that an unchanged button keeps its focus. */
function updateRow(old: Element, made: Element): Element {
  const cells = [...made.children];
  [...old.children].forEach((cell, index) => {
    const fresh = cells[index];
    if (fresh !== undefined && cell.innerHTML !== fresh.innerHTML) cell.replaceWith(fresh);
  });
  return old;
}
