/**
 * What nodes tell each other of reactions and audiences, between regions too (A5, A10): each node's windows go to the regions where somebody
 * follows the stream, and each edge's numbers to all. All of it is hints: without a link a region has its own.
 */
import { edgeCounts, reactionWindow } from '../../cluster/contract/regions/audience.ts';
import type { OtherRegions } from '../../cluster/region/other-regions.ts';
import type { ReactionEvents } from './reaction-events.ts';

/** @param events of the own region */
export function acrossRegions(events: ReactionEvents, others: OtherRegions): ReactionEvents {
  if (others.regions.length === 0) return events;
  const all = (stops: readonly (() => void)[]) => () => stops.forEach((stop) => stop());
  return {
    publishWindow: (stream, event) => {
      others.publish(reactionWindow, event, stream);
      return events.publishWindow(stream, event);
    },
    listen: (stream, listener) =>
      all([
        events.listen(stream, listener),
        ...others.regions.map((region) => others.listen(region, reactionWindow, listener, stream)),
      ]),
    publishCounts: (event) => {
      others.publish(edgeCounts, event);
      return events.publishCounts(event);
    },
    onCounts: (listener) =>
      all([
        events.onCounts(listener),
        ...others.regions.map((region) => others.listen(region, edgeCounts, listener)),
      ]),
    publishMoved: (to, event) => events.publishMoved(to, event),
    onMoved: (node, listener) => events.onMoved(node, listener),
  };
}
