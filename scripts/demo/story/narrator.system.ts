/** Prints the story of a demo in its terminal, one line for each event, with the time of day. */
import { z } from 'zod';
import type { ProcessEvent } from '../process-event.ts';
import { newStory } from './state.ts';
import { tell, type StoryEvent } from './story.ts';

const tickMs = 1000;
const LogLine = z.looseObject({ msg: z.string(), node: z.string() });

export interface Narrator extends Disposable {
  /** Takes an event of the supervisor. */
  hear(event: ProcessEvent): void;
  ready(): void;
  stopping(): void;
}

export function narrate(print: (line: string) => void): Narrator {
  let story = newStory();
  const take = (event: StoryEvent): void => {
    const told = tell(story, event, performance.now());
    story = told.story;
    for (const line of told.lines) print(`${new Date().toTimeString().slice(0, 8)} ${line}`);
  };
  const timer = setInterval(() => take({ kind: 'tick' }), tickMs);
  timer.unref();
  return {
    hear: (event) => {
      const heard = event.kind === 'line' ? loggedBy(event.name, event.line) : event;
      if (heard !== undefined) take(heard);
    },
    ready: () => take({ kind: 'ready' }),
    stopping: () => take({ kind: 'stopping' }),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Nodes log JSON. Anything else in their output is no event. */
function loggedBy(name: string, line: string): StoryEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  const parsed = LogLine.safeParse(jsonOf(line));
  if (!parsed.success || parsed.data.node !== name) return undefined;
  const { msg: message, node, ...fields } = parsed.data;
  return { kind: 'logged', node, message, fields };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
