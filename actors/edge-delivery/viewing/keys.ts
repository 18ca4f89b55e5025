/**
 * Decides which key does what, wherever the focus is. It does nothing while the viewer types, and never what a focused control does itself.
 */

export type KeyAction = 'toggle' | 'mute' | 'fullscreen' | 'back' | 'forward' | 'louder' | 'quieter' | 'live';

export interface KeyPress {
  readonly key: string;
  /** Control, Alt or Meta is held, so the key belongs to the browser. */
  readonly hasModifier: boolean;
  /** What has the focus: a text field, a list or slider, a button, or something else. */
  readonly target: 'field' | 'slider' | 'pressable' | 'other';
}

const actions: Readonly<Record<string, KeyAction>> = {
  ' ': 'toggle',
  k: 'toggle',
  m: 'mute',
  f: 'fullscreen',
  l: 'live',
  arrowleft: 'back',
  arrowright: 'forward',
  arrowup: 'louder',
  arrowdown: 'quieter',
};

export function keyAction({ key, hasModifier, target }: KeyPress): KeyAction | undefined {
  if (hasModifier || target === 'field') return undefined;
  if (target === 'pressable' && (key === ' ' || key === 'Enter')) return undefined;
  if (target === 'slider' && key.startsWith('Arrow')) return undefined;
  return Object.hasOwn(actions, key.toLowerCase()) ? actions[key.toLowerCase()] : undefined;
}

/** How many seconds an arrow key goes back or forward, and how much it changes the volume. */
export const keySteps = { seconds: 10, volume: 0.1 } as const;
