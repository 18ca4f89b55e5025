/** The share dialog of the watch page: a link, with or without the time, and the snippet that embeds the player. */
import { clockText } from '../viewing/clock-text.ts';
import { embedSnippet, shareLink } from '../viewing/share.ts';

export interface ShareOptions {
  readonly streamId: string;
  readonly title: () => string;
  readonly seconds: () => number | undefined;
}

/** Does nothing on a page without the dialog. */
export function makeShare({ streamId, title, seconds }: ShareOptions): void {
  const dialog = document.querySelector('#share');
  const link = document.querySelector('#share-link');
  const embed = document.querySelector('#share-embed');
  const hasTime = document.querySelector('#share-has-time');
  const time = document.querySelector('#share-time');
  if (!(dialog instanceof HTMLDialogElement) || !(link instanceof HTMLInputElement)) return;
  if (!(embed instanceof HTMLTextAreaElement) || !(hasTime instanceof HTMLInputElement)) return;
  let at: number | undefined;
  const fill = (): void => {
    link.value = shareLink(location.origin, streamId, hasTime.checked ? at : undefined);
    embed.value = embedSnippet(location.origin, streamId, title());
    if (time !== null) time.textContent = at === undefined ? '' : ` ${clockText(at)}`;
  };
  document.querySelector('#open-share')?.addEventListener('click', () => {
    at = seconds();
    hasTime.disabled = at === undefined;
    fill();
    dialog.showModal();
  });
  hasTime.addEventListener('change', fill);
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close();
  });
  for (const button of dialog.querySelectorAll<HTMLButtonElement>('[data-copies]'))
    button.addEventListener('click', () => void copy(button, dialog));
}

async function copy(button: HTMLButtonElement, dialog: HTMLDialogElement): Promise<void> {
  const field = dialog.querySelector(button.dataset['copies'] ?? '');
  if (!(field instanceof HTMLInputElement) && !(field instanceof HTMLTextAreaElement)) return;
  const isCopied = await navigator.clipboard?.writeText(field.value).then(
    () => true,
    () => false,
  );
  // Without TLS a page has no access to the clipboard. With the text selected, the viewer presses one key to copy it.
  field.select();
  button.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
  setTimeout(() => (button.textContent = 'Copy'), 2000);
}
