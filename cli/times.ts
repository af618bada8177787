/** Times for people: local, relative, and how long something took. JSON has ISO 8601 in UTC. */

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-03-01 09:05:07` in the local time zone. */
export function localTime(ms: number): string {
  const t = new Date(ms);
  const day = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  return `${day} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

/** `340 ms`, `4.2 s`, `3 m 07 s`, `2 h 05 m`, `4 d 3 h`. */
export function duration(ms: number): string {
  const s = Math.max(0, ms) / 1_000;
  if (s < 1) return `${Math.round(s * 1_000)} ms`;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 3_600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `just now`, `12 s ago`, `5 m ago`, `3 h ago`, then the date. */
export function ago(ms: number, now: number): string {
  const s = Math.floor((now - ms) / 1_000);
  if (s < 1) return 'just now';
  if (s < 60) return `${s} s ago`;
  if (s < 3_600) return `${Math.floor(s / 60)} m ago`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ago`;
  return localTime(ms);
}

/** `12 s ago (2026-03-01 09:05:07)` */
export function agoAndLocal(ms: number, now: number): string {
  const relative = ago(ms, now);
  const local = localTime(ms);
  return relative === local ? local : `${relative} (${local})`;
}

export const iso = (ms: number): string => new Date(ms).toISOString();
