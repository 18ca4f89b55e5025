/** The actions of the operator page. Before each one the page says what it will do. */
import type { ClusterView, StreamView, StreamWithKey } from '../../../cluster/contract/api/control-views.ts';
import { api } from './ops-api.browser.ts';
import { ask, copyable, field, forgetKey, type Shown } from './ops-dialog.browser.ts';
import { element } from './ops-elements.browser.ts';
import { deleteWords, drainWords, releaseWords, rotateWords } from './ops-words.ts';

type Node = ClusterView['nodes'][number];
/** Called after something has changed. */
type Changed = () => void;

export function createStream(changed: Changed): void {
  const title = field('Title', 'What viewers read.', { required: '', maxlength: '200', autocomplete: 'off' });
  const id = field(
    'Id (optional)',
    'Part of its addresses: small letters, digits, - and _. One is made when you leave it empty.',
    {
      pattern: '[a-z0-9][a-z0-9_\\-]{0,63}',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
    },
  );
  ask({
    title: 'New stream',
    words: 'It gets a key, with which one encoder, or two twins of it, may publish. The key is shown once.',
    fields: [title.box, id.box],
    confirm: 'Create',
    act: async () => {
      const made = await api.create({
        title: title.input.value,
        ...(id.input.value === '' ? {} : { id: id.input.value }),
      });
      changed();
      return keyResult(made);
    },
  });
}

export function rotateKey({ id, title }: StreamView, changed: Changed): void {
  ask({
    title: `New key for ${title}`,
    words: rotateWords,
    confirm: 'Make a new key',
    act: async () => {
      const made = await api.rotateKey(id);
      changed();
      return keyResult(made);
    },
  });
}

export function deleteStream({ id, title }: StreamView, changed: Changed): void {
  ask({
    title: `Delete ${title}`,
    words: deleteWords,
    confirm: 'Delete for good',
    act: async () => {
      await api.remove(id);
      forgetKey(id);
      changed();
      return undefined;
    },
  });
}

export function drainNode({ id, load }: Node, changed: Changed): void {
  const force = field('Also when no other node can take its streams: they go off air', '', {
    type: 'checkbox',
  });
  ask({
    title: `Drain ${id}`,
    words: drainWords(id, load),
    fields: [force.box],
    confirm: 'Drain',
    act: async () => {
      const { withinSeconds } = await api.drain(id, force.input.checked);
      changed();
      return {
        body: [element('p', `${id} is leaving, and will have left within ${Math.ceil(withinSeconds)} s.`)],
      };
    },
  });
}

export function releaseBrake(suspects: readonly string[], changed: Changed): void {
  ask({
    title: 'Release the brake',
    words: releaseWords(suspects),
    confirm: 'Declare them dead',
    act: async () => {
      const { released } = await api.release();
      changed();
      const words =
        released.length === 0
          ? 'Nobody is suspected any more: they all answer again.'
          : `${released.join(', ')}: the other nodes take over.`;
      return { body: [element('p', words)] };
    },
  });
}

function keyResult({ id, title, streamKey, ingest, playback }: StreamWithKey): Shown {
  const body = [
    element('p', 'Copy the key now. It is not shown again once you press Done; “New key…” makes another.'),
    copyable('Stream key', streamKey),
    ...ingest.slice(0, 2).map(({ role, url }) => copyable(`Server (${role})`, url)),
    copyable('Page', playback.page),
  ];
  return { body, keyOf: { id, title } };
}
