/** Graphviz itself takes what is drawn as DOT, hostile names and maps too. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import { drawGraph } from '../../../sdk/draw/draw.ts';
import { withRealPart } from '../../support/real-part.ts';
import { drawSeen, graphOf, mapped, mappedElectrons, random } from './samples.ts';
import { readSvg } from './svg-reader.ts';

const dot = (...args: string[]) => spawnSync('dot', args, { encoding: 'utf8', input: '' });
const installed = dot('-V').status === 0 ? 'dot' : undefined;

withRealPart('graphviz', installed, 'the package graphviz is not installed', (command) => {
  /** Graphviz' own drawing; raises what it complains of. */
  const rendered = (text: string): string => {
    const { status, stdout, stderr } = spawnSync(command, ['-Tsvg'], { encoding: 'utf8', input: text });
    if (status !== 0 || stderr !== '') throw new Error(`dot: ${stderr}`);
    return stdout;
  };
  const textsOf = (svg: string): string[] => readSvg(svg).texts.map(({ text }) => text);

  describe('graphviz draws', () => {
    test('names as they are', () => {
      const names = ['a "quoted" name', 'back\\slash \\n \\N', '<b>& &lt; &amp;</b>', '} -> { [x=y]; //', '日本語'];
      const all = lattice({ name: 'a & "b" \\G' }, () => names.map((name) => electron({ name }, () => 1)()));
      expect(textsOf(rendered(all.draw('dot')))).toEqual(expect.arrayContaining([...names, 'a & "b" \\G']));
    });
    test('maps, of a dispatch too', () => {
      const graph = graphOf(mapped);
      expect(textsOf(rendered(drawGraph('dot', graph, { title: 'mapped' })))).toContain('score × n');
      expect(textsOf(rendered(drawSeen('dot', graph, mappedElectrons())))).toContain('998 completed, 2 failed');
    });
    test('a graph of 60 electrons', () => {
      const svg = rendered(random(60, 2, 10).draw('dot'));
      expect(svg.match(/class="node"/g)).toHaveLength(61);
    });
  });
});
