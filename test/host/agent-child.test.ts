/** The local agent's process before it is told to go: it touches nothing, and never outlives whoever began it. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginAgentChild, beginAgentEarly } from '../../host/agent-child.ts';
import { recordInstance } from '../../host/instances.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polaron-agent-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the local agent's process", { timeout: 30_000 }, () => {
  it('ends when it is dropped, and has touched nothing', async () => {
    const child = beginAgentChild(folder);
    child.drop();
    expect(await once(child.process, 'exit')).toEqual([0, null]);
    expect(readdirSync(folder)).toEqual(['agent.log']);
  });

  it('goes as soon as it is told, however early that is', async () => {
    const child = beginAgentChild(folder);
    const stateDir = join(folder, 'agent');
    child.go({ home: folder, site: 'local', name: 'a', slots: 1, stateDir, targetFile: join(folder, 'nowhere.json') });
    // it knows no bus, which is the first thing that it looks for
    expect(await once(child.process, 'exit')).toEqual([1, null]);
    expect(existsSync(stateDir)).toBe(false);
  });

  it('is not begun while another lives', () => {
    recordInstance(folder, 'local-agent', process.pid);
    expect(beginAgentEarly(folder, join(folder, 'data'))).toBeUndefined();
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('is not begun where the data folder cannot be made: that is for the hub to tell', () => {
    expect(beginAgentEarly(folder, join('/proc', 'polaron'))).toBeUndefined();
  });
});
