import { execFileSync, spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { makeNetwork } from './namespaces.ts';
import { withRealPart } from './real-part.ts';

withRealPart('network namespaces', makeNetwork, 'they need root and `ip`', (make) => {
  const there = (): string => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  const answers = (within: readonly string[], ...command: readonly string[]): boolean => {
    const [program, ...args] = [...within, ...command];
    return program !== undefined && spawnSync(program, args).status === 0;
  };

  it('what a killed test left is removed by the next one, and what a living one has is not', () => {
    const { pid: dead } = spawnSync(process.execPath, ['--version']);
    const [left, own] = [`polaron-${dead}-1-left`, `polaron-${process.pid}-999-own`];
    for (const name of [left, own]) execFileSync('ip', ['netns', 'add', name]);
    try {
      make().close();
      expect(there()).not.toContain(left);
      expect(there()).toContain(own);
    } finally {
      execFileSync('ip', ['netns', 'delete', own]);
    }
  });

  it('machines have a way to one another, none to anywhere else, and none when they are cut off', () => {
    const network = make();
    try {
      const [a, b] = [network.add('a'), network.add('b')];
      const reaches = (address: string): boolean => {
        const dial = `require('node:net').connect({ host: '${address}', port: 9 }).on('error', ({ code }) => process.exit(code === 'ECONNREFUSED' ? 0 : 1)); setTimeout(() => process.exit(2), 1_000)`;
        return answers(a.within, process.execPath, '--eval', dial);
      };
      // nobody listens there, and it says so
      expect(reaches(b.address)).toBe(true);
      expect(reaches('198.51.100.1')).toBe(false);
      for (const how of ['cable', 'hole'] as const) {
        b.cut(how);
        expect(reaches(b.address)).toBe(false);
        b.heal();
        expect(reaches(b.address)).toBe(true);
      }
    } finally {
      network.close();
    }
    expect(there()).not.toContain(`polaron-${process.pid}-`);
  });
});
