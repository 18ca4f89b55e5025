/** One dialog for everything that an operator does: it says what will happen, does it, and shows the result or the failure. */
import { button, element, find } from './ops-elements.browser.ts';

export interface Question {
  readonly title: string;
  readonly words: string;
  readonly fields?: readonly HTMLElement[];
  readonly confirm: string;
  /** @returns what to show next, or nothing to close the dialog. It throws an `Error` whose message is shown */
  readonly act: () => Promise<readonly HTMLElement[] | undefined>;
}

const dialog = find('dialog', HTMLDialogElement);
const title = find('dialog-title', HTMLElement);
const body = find('dialog-body', HTMLElement);
const fault = find('dialog-error', HTMLElement);
const cancel = find('dialog-cancel', HTMLButtonElement);
const confirm = find('dialog-confirm', HTMLButtonElement);
let act: Question['act'] | undefined;

export function ask({ title: asked, words, fields = [], confirm: label, act: action }: Question): void {
  title.textContent = asked;
  body.replaceChildren(element('p', words), ...fields);
  fault.textContent = '';
  confirm.textContent = label;
  confirm.disabled = false;
  cancel.hidden = false;
  act = action;
  dialog.showModal();
}

/** Shows a value with a button that copies it. */
export function copyable(name: string, value: string): HTMLElement {
  const copy = button('Copy', `Copy ${name}`, () => {
    navigator.clipboard.writeText(value).then(
      () => (copy.textContent = 'Copied'),
      () => (copy.textContent = 'Select and copy it'),
    );
  });
  return element('dl', [element('dt', name), element('dd', [element('code', value), copy])]);
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

async function run(): Promise<void> {
  const doing = act;
  if (doing === undefined) return dialog.close();
  confirm.disabled = true;
  fault.textContent = '';
  try {
    const result = await doing();
    act = undefined;
    if (result === undefined) return dialog.close();
    body.replaceChildren(...result);
    confirm.textContent = 'Done';
    cancel.hidden = true;
  } catch (error) {
    fault.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    confirm.disabled = false;
  }
}

find('dialog-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener('click', () => dialog.close());
