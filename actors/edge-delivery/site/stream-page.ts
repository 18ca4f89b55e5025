/** What the page of a stream says before its script runs: to people, to search engines, and where its link is shared. */
import type { PublicStream, StreamState } from '../../../cluster/contract/api/control-routes.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import type { PageFacts } from './page-template.ts';
import type { Site } from './site.ts';

/** What is known of a stream when its page is asked for. */
export type Subject =
  | { readonly kind: 'stream'; readonly stream: PublicStream }
  /** The stream exists, and its state is not known now. */
  | { readonly kind: 'silent'; readonly id: StreamId; readonly title: string | undefined }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'removed' };

const descriptions: Readonly<Record<StreamState, string>> = {
  notBegun: 'This broadcast has not begun yet.',
  live: 'Live now.',
  interrupted: 'Live; it is interrupted just now.',
  ended: 'This broadcast is over.',
  recording: 'This broadcast is over; its recording can be watched.',
};

export interface StreamPageContext {
  readonly origin: string;
  readonly engines: Site['engines'];
  /** The engine that the page will load. */
  readonly format: 'dash' | 'hls';
}

export function streamPageFacts(subject: Subject, { origin, engines, format }: StreamPageContext): PageFacts {
  const bare = {
    canonicalUrl: undefined,
    imageUrl: undefined,
    isHidden: true,
    preloads: [],
    data: undefined,
  };
  switch (subject.kind) {
    case 'unknown':
      return {
        ...bare,
        title: 'There is no such stream',
        description: 'Nothing is broadcast under this address. Is it written right?',
      };
    case 'removed':
      return { ...bare, title: 'Removed', description: 'This stream was removed.' };
    case 'silent':
      return {
        ...bare,
        title: subject.title ?? subject.id,
        description: 'A broadcast.',
        canonicalUrl: `${origin}/watch/${subject.id}`,
        isHidden: false,
        preloads: engines[format],
      };
    case 'stream': {
      const { id, title, state, poster } = subject.stream;
      const isPlayed = state === 'live' || state === 'interrupted' || state === 'recording';
      return {
        title,
        description: descriptions[state],
        canonicalUrl: `${origin}/watch/${id}`,
        imageUrl: poster ?? undefined,
        isHidden: false,
        preloads: isPlayed ? engines[format] : [],
        data: subject.stream,
      };
    }
    default:
      return unreachable(subject);
  }
}

/** The status of the reply that carries the page. */
export function statusOf({ kind }: Subject): number {
  if (kind === 'unknown') return 404;
  return kind === 'removed' ? 410 : 200;
}
