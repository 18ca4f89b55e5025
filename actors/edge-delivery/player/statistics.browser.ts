/** Shows what the player does, behind the page's Statistics button. */
import type { EngineState } from './engine.browser.ts';

export function showStatistics(
  list: HTMLElement,
  video: HTMLVideoElement,
  state: EngineState | undefined,
): void {
  if (list.hidden || state === undefined) return;
  const { buffered, currentTime } = video;
  const ahead = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - currentTime;
  const rows: readonly (readonly [string, string])[] = [
    ['player', state.library],
    ['picture', `${state.width}x${state.height}`],
    ['bitrate', `${Math.round(state.bitrateBps / 1000)} kbit/s`],
    ['behind live', state.behindLiveSeconds === undefined ? '…' : `${state.behindLiveSeconds.toFixed(1)} s`],
    ['buffer', `${ahead.toFixed(1)} s`],
    ['edge', state.edge],
  ];
  list.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const term = document.createElement('dt');
      term.textContent = name;
      const detail = document.createElement('dd');
      detail.textContent = value;
      return [term, detail];
    }),
  );
}
