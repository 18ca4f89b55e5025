/** The icons of the pages as SVG: one stroke, in the colour of the text around them. */
const svg = (content: string): string =>
  `<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">${content}</svg>`;

const tower = '<path d="M12 12v8M9 20h6"/><circle cx="12" cy="9" r="1.6"/>';
const near = '<path d="M8.2 12.4a5 5 0 0 1 0-6.8M15.8 5.6a5 5 0 0 1 0 6.8"/>';
const far = '<path d="M5.4 15.2a9 9 0 0 1 0-12.4M18.6 2.8a9 9 0 0 1 0 12.4"/>';

export const icons = {
  play: '<svg viewBox="0 0 24 24" aria-hidden="true" fill="currentColor"><path d="M8 5.2v13.6a.6.6 0 0 0 .92.5l10.4-6.8a.6.6 0 0 0 0-1L8.92 4.7a.6.6 0 0 0-.92.5z"/></svg>',
  settings: svg(
    '<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/><circle cx="16" cy="7" r="2.4"/><circle cx="8" cy="17" r="2.4"/>',
  ),
  tower: svg(tower + near + far),
  interrupted: svg(`${tower}${near}<path d="M4 4l16 16"/>`),
  ended: svg('<rect x="3.5" y="5" width="17" height="12" rx="2"/><path d="M9 21h6M9.5 11l2 2 3.5-4"/>'),
  gone: svg(
    '<rect x="3.5" y="5" width="17" height="12" rx="2"/><path d="M9 21h6M9.8 8.8l4.4 4.4M14.2 8.8l-4.4 4.4"/>',
  ),
  unknown: svg(
    '<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5M9.3 9.3a1.8 1.8 0 1 1 2.4 2.1c-.5.2-.7.5-.7 1M11 14.4v.1"/>',
  ),
  offline: svg(
    '<path d="M4 4l16 16M8.6 13.4a5 5 0 0 1 3.4-1.3M5.4 10.2a9.6 9.6 0 0 1 3-2M12 7.4a9.6 9.6 0 0 1 6.6 2.8M12 17.5v.1"/>',
  ),
} as const;
