/** Changes the view for a simulated node: the product's own compare-and-set, on a bucket that takes time and loses answers. */
import { TangazaError, errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { changeView, type ViewStore } from '../../cluster/membership/view-store.ts';
import { emptyView, type View } from '../../cluster/membership/view.ts';
import type { Process, World } from './world.ts';

export interface ViewChanger {
  readonly world: World;
  readonly process: Process;
  /** The number of nodes in the region. */
  readonly nodes: number;
}

/** In a larger region the view changes at once, as a thousand nodes that contend for it would take an hour to simulate. */
const maxContenders = 500;

/** @returns whether the answer arrived that the bucket took it */
export async function changeSimulatedView(
  { world, process, nodes }: ViewChanger,
  transition: (view: View) => View,
): Promise<boolean> {
  if (nodes > maxContenders) return changeAtOnce(world, process, transition);
  const pause = (attempt: number): Promise<void> => world.sleep(process, world.random.next() * 10 * attempt);
  try {
    await changeView(viewPort(world, process), { empty: emptyView('simulated'), pause }, transition);
    return true;
  } catch (error) {
    world.note(`${process.id} could not change the view: ${errorCodeOf(error)}`);
    return false;
  }
}

function changeAtOnce(world: World, process: Process, transition: (view: View) => View): boolean {
  if (!world.takesWrites(process)) return false;
  const after = transition(world.view);
  if (after !== world.view) world.putView(after, world.viewRevision);
  return true;
}

export function viewPort(world: World, process: Process): ViewStore {
  return {
    answeredAtMs: 0,
    read: () => world.ask(process, 'read', () => ({ view: world.view, revision: world.viewRevision })),
    write: (view, revision) => world.ask(process, 'write', () => world.putView(view, revision)),
    watch: () => {
      throw new TangazaError('INTERNAL', 'not simulated');
    },
    close: async () => {},
  };
}
