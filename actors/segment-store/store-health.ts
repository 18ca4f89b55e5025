/** What of the segment store fails now, in words for operators: each kind of operation until one of it works again. */

export type StoreUse = 'read' | 'write';

const mostWords = 300;

export class StoreHealth {
  readonly #faults = new Map<StoreUse, string>();

  /** @param why undefined: an operation of this kind has worked */
  note(use: StoreUse, why: string | undefined): void {
    if (why === undefined) this.#faults.delete(use);
    else this.#faults.set(use, why.slice(0, mostWords));
  }

  /** One part of `/readyz` while something fails. The node stays ready: it serves what it has, and others have the same store. */
  parts(): readonly { readonly name: string; readonly isReady: true; readonly detail: string }[] {
    if (this.#faults.size === 0) return [];
    const words = [...this.#faults].map(
      ([use, why]) => `nothing can be ${use === 'read' ? 'read' : 'stored'}: ${why}`,
    );
    return [{ name: 'segment store', isReady: true, detail: words.join('; ') }];
  }
}
