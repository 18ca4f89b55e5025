/** In which order nodes stand for an orphaned stream: the product's own line, one for all who ask in the same view (R2). */
import type { View } from '../membership/view.ts';
import type { Epoch, NodeId, StreamId } from '../model/ids.ts';
import { lineOf, type Candidate } from '../ownership/succession.ts';
import type { Holdings } from './holdings.ts';

/** Those behind do not stand for it. */
const lineLength = 6;

interface Line {
  readonly epoch: Epoch | undefined;
  readonly nodes: readonly NodeId[];
}

export class Lines {
  readonly #holdings: Holdings;
  #view: View | undefined;
  #candidates: readonly Candidate[] = [];
  readonly #lines = new Map<StreamId, Line>();

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** The first in line in the newest view. */
  lineFor(stream: StreamId, newest: View): readonly NodeId[] {
    if (this.#view !== newest) this.#renew(newest);
    const epoch = this.#holdings.of(stream)?.record.epoch;
    const known = this.#lines.get(stream);
    if (known !== undefined && known.epoch === epoch) return known.nodes;
    const nodes = lineOf(stream, this.#candidates, this.#holdings.loads, lineLength);
    this.#lines.set(stream, { epoch, nodes });
    return nodes;
  }

  #renew(view: View): void {
    this.#view = view;
    this.#candidates = view.members.filter(({ state }) => state === 'alive');
    this.#lines.clear();
  }
}
