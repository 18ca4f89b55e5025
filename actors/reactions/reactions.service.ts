/** Runs the reactions actor in Moleculer: its timers begin with the broker and end with it. The edge of its node asks it directly. */
import type { ServiceSchema } from 'moleculer';
import type { Clock } from '../../cluster/time/clock.ts';
import { keepEveryMs, tellEveryMs, windowMs, type NodeReactions } from './reactions.ts';

export function reactionsService(reactions: NodeReactions, clock: Clock): ServiceSchema {
  const timers: (() => void)[] = [];
  return {
    name: 'reactions',
    async started() {
      timers.push(
        clock.every(windowMs, () => reactions.endWindow()),
        clock.every(tellEveryMs, () => reactions.tell()),
        clock.every(keepEveryMs, () => reactions.keep()),
      );
    },
    async stopped() {
      for (const stop of timers) stop();
      reactions.endWindow();
      await reactions.keep();
      reactions.close();
    },
  };
}
