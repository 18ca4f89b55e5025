/**
 * Decides which tasks the rungs of one segment become (M12).
 *
 * A task costs one start of ffmpeg (0.08 CPU s) and one decode (0.2 CPU s for 2 s of 720p), whatever it encodes. The
 * ladder of a 720p source cost 1.3 to 1.7 times as much as one continuous ffmpeg (`scripts/bench/transcode.ts`) with
 * the lowest rung always a task of its own, and 1.1 times when the lowest rung is made with the others. So one task
 * makes all rungs while the owner keeps up. As soon as the owner is behind, the lowest rung is a task of its own, first
 * in line, because then it saves the segment.
 */
import type { VideoRendition } from '../../../cluster/contract/renditions.ts';
import type { TaskGroup } from '../../../cluster/contract/transcode-task.ts';

export interface TaskPlan {
  readonly group: TaskGroup;
  readonly renditions: readonly VideoRendition[];
}

/**
 * @param encoded the rungs to be encoded, best first
 * @param isBehind whether segments wait in front of this one, or it is hedged
 * @returns tasks in the order of the line; none without rungs
 */
export function taskGroups(encoded: readonly VideoRendition[], isBehind: boolean): readonly TaskPlan[] {
  const plans: readonly TaskPlan[] =
    isBehind || encoded.length === 1
      ? [
          { group: 'lowest', renditions: encoded.slice(-1) },
          { group: 'upper', renditions: encoded.slice(0, -1) },
        ]
      : [{ group: 'upper', renditions: encoded }];
  return plans.filter(({ renditions }) => renditions.length > 0);
}
