/** `polaron graph` against a hub that answers from data: what is printed, what is written where, and what opens it. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ElectronView } from '../../bus/protocol/api.ts';
import { openerOf } from '../../cli/opener.ts';
import { until } from '../support/until.ts';
import { polaron, type FakeOptions } from './support/fake-context.ts';
import { dispatchDetail, electron, ID, snapshots } from './support/hub-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'polaron-graph-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hub: FakeOptions['hub'] = {
  snapshot: snapshots(dispatchDetail(), [electron(0), electron(1, { status: 'running' })]),
  graph: async () => ({
    nodes: [],
    draw: async (format: string, electrons: AsyncIterable<ElectronView>) => {
      const seen: string[] = [];
      for await (const { id, status } of electrons) seen.push(`${id} ${status}`);
      return `${format}: ${seen.join(', ')}`;
    },
  }),
};

describe('polaron graph', () => {
  it('prints the graph with its statuses, as Mermaid unless told otherwise', async () => {
    expect((await polaron(['graph', ID], { hub })).out).toBe('mermaid: 0 completed, 1 running\n');
    expect((await polaron(['graph', ID, '--format', 'svg'], { hub })).out).toBe('svg: 0 completed, 1 running\n');
    expect((await polaron(['graph', ID, '--format', 'png'], { hub })).exit).toBe(2);
    const json = await polaron(['graph', ID, '--format', 'dot', '--json'], { hub });
    expect(JSON.parse(json.out)).toEqual({ id: ID, format: 'dot', text: 'dot: 0 completed, 1 running', nodes: [] });
  });

  it.each([
    ['a.svg', [], 'svg'],
    ['b.GV', [], 'dot'],
    ['c.dot', [], 'dot'],
    ['d.mmd', [], 'mermaid'],
    ['e.md', [], 'mermaid'],
    ['f.svg', ['--format', 'dot'], 'dot'],
  ])('--output %s with %j writes %s and names the file', async (name, more, format) => {
    const file = join(folder, name);
    const { out, err, exit } = await polaron(['graph', ID, '--output', file, ...more], { hub });
    expect([out, err, exit]).toEqual([`wrote ${file}\n`, '', 0]);
    expect(readFileSync(file, 'utf8')).toBe(`${format}: 0 completed, 1 running\n`);
  });

  it('says which file cannot be written', async () => {
    const file = join(folder, 'missing', 'a.svg');
    const { out, err, exit } = await polaron(['graph', ID, '--output', file], { hub });
    expect([out, exit]).toEqual(['', 2]);
    expect(err).toContain(`${file} can't be written: ENOENT`);
    expect(err).toContain('Give --output a file in a folder that is there.');
  });
});

describe('polaron graph --open', () => {
  const bin = join(folder, 'bin');
  const told = join(folder, 'told');
  const file = join(tmpdir(), `polaron-${ID}.svg`);
  const screen = { PATH: bin, DISPLAY: ':9' };
  const opener = openerOf(process.platform, screen) ?? '';
  mkdirSync(bin);
  for (const name of ['xdg-open', 'open']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nprintf %s "$1" > '${told}.new' && /bin/mv '${told}.new' '${told}'\n`);
    chmodSync(join(bin, name), 0o755);
  }
  afterAll(() => rmSync(file, { force: true }));

  it('writes an SVG among the temporary files, names it, and hands it to the system', async () => {
    const { out, err, exit } = await polaron(['graph', ID, '--open'], { hub, env: screen });
    expect([out, err, exit]).toEqual([`wrote ${file}, and opened it with ${opener}\n`, '', 0]);
    expect(readFileSync(file, 'utf8')).toMatch(/^svg: /);
    await until(() => existsSync(told), 'the opener');
    expect(readFileSync(told, 'utf8')).toBe(file);
  });

  it('is no failure where nothing can open it: the file is there, and named', async () => {
    const none = await polaron(['graph', ID, '--open', '--output', join(folder, 'x.dot')], {
      hub,
      env: { ...screen, PATH: folder },
    });
    expect([none.out, none.exit]).toEqual([`wrote ${join(folder, 'x.dot')}\n`, 0]);
    expect(none.err).toMatch(/^nothing to open it with/);
    expect(readFileSync(join(folder, 'x.dot'), 'utf8')).toMatch(/^dot: /);
    const json = await polaron(['graph', ID, '--open', '--json'], { hub, env: { ...screen, PATH: folder } });
    expect(JSON.parse(json.out)).toMatchObject({ format: 'svg', file, opened: false });
  });

  it('needs a screen, on Linux', () => {
    expect(openerOf('linux', {})).toBeUndefined();
    expect(openerOf('linux', { DISPLAY: '' })).toBeUndefined();
    expect(openerOf('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toBe('xdg-open');
    expect(openerOf('darwin', {})).toBe('open');
  });
});
