/** Makes the elements of the panel. Text is inserted as text, so that nothing anybody writes becomes markup. */

export interface Making {
  readonly class?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { class: name, text, attributes = {} }: Making = {},
  children: readonly Node[] = [],
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (name !== undefined) made.className = name;
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function makeButton(text: string, onClick: () => void, more: Making = {}): HTMLButtonElement {
  const button = make('button', { ...more, text });
  button.type = 'button';
  button.addEventListener('click', onClick);
  return button;
}

/** Screen readers read a status out whenever it is written, so an unchanged text is not written again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
