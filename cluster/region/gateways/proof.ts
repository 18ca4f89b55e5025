/**
 * How regions prove that they are one deployment: whoever calls another region signs the call with a key of the shared secrets, and whoever
 * answers a hello signs the caller's challenge (R2).
 *
 * A call is one text of three lines: the signature, its head, and its parameters as JSON. The signature covers the other two. The head has a
 * deadline, so a call that somebody has recorded is good for no longer than its caller would have waited.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { RegionId } from '../../model/ids.ts';
import { jsonOf } from '../wire.ts';

const CallHead = z.object({
  from: RegionId,
  to: RegionId,
  name: z.string(),
  /** On the wall clock of the region that is called. */
  deadlineUtcMs: z.number(),
});
export type CallHead = z.infer<typeof CallHead>;

/** A call's text is longer than its parameters by this much at most. */
export const maxHeadBytes = 500;

export interface SignedCall {
  readonly head: CallHead;
  readonly params: string;
}

export class Prover {
  readonly #key: Buffer;

  /** @param secret all regions of a deployment share it */
  constructor(secret: string) {
    this.#key = createHash('sha256').update(`regions:${secret}`).digest();
  }

  sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }

  isSigned(text: string, signature: string): boolean {
    const [expected, given] = [Buffer.from(this.sign(text)), Buffer.from(signature)];
    return expected.length === given.length && timingSafeEqual(expected, given);
  }

  write({ head, params }: SignedCall): string {
    const text = `${JSON.stringify(head)}\n${params}`;
    return `${this.sign(text)}\n${text}`;
  }

  /** @returns `garbage` for what is no call, `stranger` for one that another deployment signed */
  read(text: string): SignedCall | 'garbage' | 'stranger' {
    const [first, second] = [text.indexOf('\n'), text.indexOf('\n', text.indexOf('\n') + 1)];
    if (first < 0 || second < 0) return 'garbage';
    const head = CallHead.safeParse(jsonOf(text.slice(first + 1, second)));
    if (!head.success) return 'garbage';
    if (!this.isSigned(text.slice(first + 1), text.slice(0, first))) return 'stranger';
    return { head: head.data, params: text.slice(second + 1) };
  }

  /** What a node signs when it answers a hello: only who has the secrets can do so for a fresh nonce. */
  answer(region: RegionId, nonce: string): string {
    return this.sign(`hello:${region}:${nonce}`);
  }
}
