/** Which streams there are, and how each takes comments: asked for often, so remembered for some seconds. */
import { openMode, type CommentMode } from '../../cluster/contract/api/audience-views.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { CommentPorts, StreamStanding } from './comment-ports.ts';
import { Remembered } from './remembered.ts';

const knownMs = 10_000;
/** Such a stream may be created, or exist again, at any moment. */
const otherMs = 1000;
/** A mode that was set at another node is heard of at once, or read after that (A12). */
const modeMs = 5000;
const most = 10_000;

export class Streams {
  readonly #standings: Remembered<StreamId, StreamStanding>;
  readonly #modes: Remembered<StreamId, CommentMode>;

  constructor({ clock, lookUpStream, store }: Pick<CommentPorts, 'clock' | 'lookUpStream' | 'store'>) {
    this.#standings = new Remembered({
      clock,
      most,
      ask: lookUpStream,
      goodForMs: ({ kind }) => (kind === 'known' ? knownMs : otherMs),
    });
    this.#modes = new Remembered({
      clock,
      most,
      ask: async (id: StreamId) => (await store.mode(id)) ?? openMode,
      goodForMs: () => modeMs,
    });
  }

  /** @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED`, and what the registry throws */
  async mustExist(id: StreamId): Promise<void> {
    const { kind } = await this.#standings.get(id);
    if (kind === 'removed') throw new TangazaError('STREAM_REMOVED', `The stream ${id} was removed.`);
    if (kind === 'unknown')
      throw new TangazaError('STREAM_NOT_FOUND', `There is no stream ${id}: check its id.`);
  }

  mode(id: StreamId): Promise<CommentMode> {
    return this.#modes.get(id);
  }

  /** The mode was set, here or at another node. */
  heardMode(id: StreamId, mode: CommentMode): void {
    this.#modes.set(id, mode);
  }
}
