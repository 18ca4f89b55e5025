/**
 * One dialog for all that an operator does: it says what will happen, does it, and shows what came of it or why not.
 *
 * A key is shown once. So one that came, and that nobody said *Done* to (Escape, or the dialog was closed before it came), is kept
 * within reach until the page is left.
 */
import { button, element, find } from './ops-elements.browser.ts';

export interface Question {
  readonly title: string;
  readonly words: string;
  readonly fields?: readonly HTMLElement[];
  readonly confirm: string;
  /** @returns what to show then, or nothing to close the dialog. Throws an `Error` whose message is shown */
  readonly act: () => Promise<Shown | undefined>;
}

export interface Shown {
  readonly body: readonly HTMLElement[];
  /** It shows the key of that stream, which nobody can show again. */
  readonly keyOf?: { readonly id: string; readonly title: string };
}

const dialog = find('dialog', HTMLDialogElement);
const title = find('dialog-title', HTMLElement);
const body = find('dialog-body', HTMLElement);
const fault = find('dialog-error', HTMLElement);
const cancel = find('dialog-cancel', HTMLButtonElement);
const confirm = find('dialog-confirm', HTMLButtonElement);
const unseen = find('unseen-keys', HTMLElement);
let act: Question['act'] | undefined;
/** What the dialog shows now, when it is a result. */
let shown: Shown | undefined;
/** By stream: keys that nobody said *Done* to. */
const kept = new Map<string, Shown>();

export function ask({ title: asked, words, fields = [], confirm: label, act: action }: Question): void {
  title.textContent = asked;
  body.replaceChildren(element('p', words), ...fields);
  fault.textContent = '';
  confirm.textContent = label;
  confirm.disabled = false;
  cancel.hidden = false;
  act = action;
  shown = undefined;
  dialog.showModal();
}

/** Shows a value with a button that copies it, or selects it where the browser gives no clipboard: a page without TLS has none. */
export function copyable(name: string, value: string): HTMLElement {
  const code = element('code', value);
  const copy = button('Copy', `Copy ${name}`, () => {
    void copyOf(code, value).then((text) => (copy.textContent = text));
  });
  return element('dl', [element('dt', name), element('dd', [code, copy])]);
}

/** @returns what the button says then */
async function copyOf(place: HTMLElement, value: string): Promise<string> {
  const isCopied = await navigator.clipboard?.writeText(value).then(
    () => true,
    () => false,
  );
  if (isCopied) return 'Copied';
  getSelection()?.selectAllChildren(place);
  return 'Press Ctrl+C';
}

export function field(
  label: string,
  hint: string,
  attributes: Readonly<Record<string, string>>,
): {
  readonly box: HTMLElement;
  readonly input: HTMLInputElement;
} {
  const input = document.createElement('input');
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  const isCheck = attributes['type'] === 'checkbox';
  const text = element('span', label);
  const box = element(
    'label',
    isCheck ? [input, text] : [text, input, element('small', hint, { class: 'quiet' })],
    {
      class: isCheck ? 'check' : 'field',
    },
  );
  return { box: isCheck ? box : element('div', [box], { class: 'field' }), input };
}

function show(result: Shown): void {
  act = undefined;
  shown = result;
  fault.textContent = '';
  body.replaceChildren(...result.body);
  confirm.textContent = 'Done';
  confirm.disabled = false;
  cancel.hidden = true;
}

function finish(): void {
  if (shown?.keyOf !== undefined) kept.delete(shown.keyOf.id);
  dialog.close();
}

/** Forgets a key that works no more. */
export function forgetKey(id: string): void {
  kept.delete(id);
  showKept();
}

function showKept(): void {
  unseen.hidden = kept.size === 0;
  unseen.replaceChildren(
    element(
      'p',
      'Copy these keys before you leave this page: they are not shown again. “New key…” makes another.',
    ),
    ...[...kept.values()].flatMap((result) =>
      result.keyOf === undefined ? [] : [keptButton(result, result.keyOf)],
    ),
  );
}

function keptButton(result: Shown, { title: of }: { readonly title: string }): HTMLElement {
  const name = `Show the key of ${of}`;
  return button(name, name, () => {
    title.textContent = `Key of ${of}`;
    show(result);
    dialog.showModal();
  });
}

async function run(): Promise<void> {
  const doing = act;
  if (doing === undefined) return finish();
  confirm.disabled = true;
  fault.textContent = '';
  try {
    const result = await doing();
    if (result?.keyOf !== undefined) kept.set(result.keyOf.id, result);
    // It was closed, or asks something else by now.
    if (act !== doing || !dialog.open) return showKept();
    if (result === undefined) return dialog.close();
    show(result);
  } catch (error) {
    if (act === doing) fault.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    if (act === doing) confirm.disabled = false;
  }
}

find('dialog-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener('click', () => dialog.close());
dialog.addEventListener('close', showKept);
window.addEventListener('beforeunload', (event) => {
  if (kept.size > 0) event.preventDefault();
});
