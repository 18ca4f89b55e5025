/** Makes what a viewer copies: a link, with or without a time, and the HTML that embeds the player. */
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '"': '&quot;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replaceAll(/[&"<>]/g, (sign) => escapes[sign] ?? sign);

/** The id in the path of a page, `/watch/ID`. An invalid escape stays as it is, and then names no stream. */
export function streamIdIn(path: string): string {
  const name = path.split('/')[2] ?? '';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** @param seconds on the timeline of the stream; the link has whole seconds */
export function shareLink(origin: string, streamId: string, seconds?: number): string {
  const page = `${origin}/watch/${encodeURIComponent(streamId)}`;
  return seconds === undefined ? page : `${page}?t=${Math.max(0, Math.floor(seconds))}`;
}

export function embedSnippet(origin: string, streamId: string, title: string): string {
  const address = `${origin}/embed/${encodeURIComponent(streamId)}?autoplay&muted`;
  return [
    `<iframe src="${escaped(address)}" title="${escaped(title)}" width="640" height="360"`,
    `style="border:0;max-width:100%;aspect-ratio:16/9;height:auto" loading="lazy"`,
    `allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`,
  ].join(' ');
}
