/** Writes and reads times as viewers do. */

/** `0:07`, `12:05`, `1:02:33`: whole seconds, never negative. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** The seconds of `90`, `1:30`, `1:02:33`, `1h2m33s` or `90s`. Undefined for anything else, and for more than a year. */
export function secondsOf(text: string | null): number | undefined {
  if (text === null || text.length === 0 || text.length > 20) return undefined;
  const seconds = parse(text);
  return seconds !== undefined && seconds <= 366 * 86_400 ? seconds : undefined;
}

function parse(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (/^\d+(?::\d{1,2}){1,2}$/.test(text))
    return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  const named = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (named === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = named.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}
