/** Draws panels of lines, logarithmic both ways, as one SVG document. Not responsible for what is drawn. */

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly lines: readonly PlotLine[];
}

export interface PlotLine {
  /** With its unit: `time, µs per electron`. */
  readonly name: string;
  /** Points with an x or a y that isn't above 0 are left out: a logarithm has no place for them. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 420;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 20;
const TOP = 34;
const BOTTOM = 46;
/** Height of a line of the legend. */
const LEGEND = 16;
const colours = ['#1b6ca8', '#c0504d', '#4f8f3a', '#7d5ba6'];

/** `columns` panels side by side, as many rows as they take. */
export function toSvg(panels: readonly Panel[], columns = 2): string {
  const most = Math.max(1, ...panels.map(({ lines }) => lines.length));
  const height = HEIGHT + most * LEGEND;
  const rows = Math.ceil(panels.length / columns);
  const size = { width: columns * WIDTH, height: rows * height };
  const drawn = panels.map((panel, index) => {
    const [x, y] = [(index % columns) * WIDTH, Math.floor(index / columns) * height];
    return `<g transform="translate(${x} ${y})">${panelSvg(panel)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function panelSvg({ title, x, lines }: Panel): string {
  const shown = lines.map(({ name, points }) => ({ name, points: points.filter(([a, b]) => a > 0 && b > 0) }));
  const points = shown.flatMap((line) => line.points);
  const across = axis(
    points.map(([a]) => a),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = axis(
    points.map(([, b]) => b),
    HEIGHT - BOTTOM,
    TOP,
  );
  const grid = [
    ...across.ticks.map((tick) => {
      const at = round(across.place(tick));
      return `<line x1="${at}" y1="${TOP}" x2="${at}" y2="${HEIGHT - BOTTOM}"/>`;
    }),
    ...up.ticks.map((tick) => {
      const at = round(up.place(tick));
      return `<line x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}"/>`;
    }),
  ];
  const labels = [
    ...across.ticks.map(
      (tick) =>
        `<text x="${round(across.place(tick))}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${short(tick)}</text>`,
    ),
    ...up.ticks.map(
      (tick) => `<text x="${LEFT - 6}" y="${round(up.place(tick)) + 4}" text-anchor="end">${short(tick)}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - BOTTOM + 32}" text-anchor="middle">${xml(x)}</text>`,
    `<text x="${LEFT}" y="20" font-size="13" font-weight="bold">${xml(title)}</text>`,
  ];
  const drawn = shown.map((line, index) => {
    const colour = colours[index % colours.length] ?? '#000000';
    const places = line.points.map(([a, b]) => [round(across.place(a)), round(up.place(b))] as const);
    const y = HEIGHT + 4 + index * LEGEND;
    return [
      `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      ...places.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="2.5" fill="${colour}"/>`),
      `<line x1="${LEFT}" y1="${y - 4}" x2="${LEFT + 18}" y2="${y - 4}" stroke="${colour}" stroke-width="1.5"/>`,
      `<text x="${LEFT + 24}" y="${y}">${xml(line.name)}</text>`,
    ].join('');
  });
  return [`<g stroke="#dddddd">${grid.join('')}</g>`, `<g fill="#333333">${labels.join('')}</g>`, ...drawn].join('');
}

interface Axis {
  /** Powers of ten, all that the values lie between. */
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** `from` and `to`: where the smallest and the largest tick are drawn. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const logs = values.map(Math.log10);
  const low = logs.length === 0 ? 0 : Math.floor(Math.min(...logs) + 1e-9);
  const high = Math.max(low + 1, logs.length === 0 ? 1 : Math.ceil(Math.max(...logs) - 1e-9));
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
    place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** 1000000 → 1M. */
function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(1)));
}

const xml = (text: string): string => text.replaceAll(/[<>&"]/g, (char) => `&#${char.codePointAt(0) ?? 0};`);
