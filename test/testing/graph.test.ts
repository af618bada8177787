/** `graphOf`: questions and assertions on the graph of a lattice. */
import { AssertionError } from 'node:assert';
import { after, electron, lattice } from 'polaron';
import { graphOf } from 'polaron/testing';
import { describe, expect, it } from 'vitest';

const load = electron(function load(path: string): number[] {
  return [path.length];
});
const scale = electron({ retries: 3 }, function scale(x: number, by: number): number {
  return x * by;
});
const train = electron(function train(rows: readonly number[]): number {
  return rows.length;
});
const report = electron(function report(score: number): string {
  return `${score}`;
});
const sub = lattice(function sub(score: number) {
  return report(score);
});

const night = lattice(function night(path: string) {
  const rows = load(path);
  const other = load('other');
  const scaled = rows.map((row) => scale(row, other.length));
  const model = train(scaled);
  const quick = train([1, 2]);
  return { model, text: sub(model), end: after(quick, () => report(3)) };
});
const graph = graphOf(night, 'data');

function failureOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  throw new Error('it held');
}

describe('graphOf', () => {
  it('draws a line for each node, with what it waits for', () => {
    graph.assertText(`
      load#1
      load#2
      map scale <- load#1
        scale <- item, load#2
      train#1 <- map scale
      train#2
      sub <- train#1
      report <- train#2
    `);
    expect(failureOf(() => graph.assertText('load'))).toContain('expected to be\nload\nbut it; the graph is\nload#1');
  });

  it('answers who waits for whom, by name or label', () => {
    expect(graph.parentsOf('scale')).toEqual(['load#1', 'load#2']);
    expect(graph.parentsOf('train')).toEqual(['map scale']);
    expect(graph.childrenOf('load')).toEqual(['map scale', 'scale']);
    expect(graph.childrenOf('train#1')).toEqual(['sub']);
    expect(graph.nodes('train').map(({ label }) => label)).toEqual(['train#1', 'train#2']);
    expect(graph.node('scale')).toMatchObject({ kind: 'electron', options: { retries: { max: 3 } } });
    expect(graph.node('sub').kind).toBe('lattice');
    expect(failureOf(() => graph.node('load'))).toContain('2 nodes are called "load"');
  });

  it('checks the order: every one of a name before every one of another', () => {
    graph.assertBefore('load', 'scale');
    graph.assertBefore('scale', 'sub');
    graph.assertBefore('train#2', 'report');
    graph.assertBeside('train#1', 'report');
    graph.assertBeside('load#1', 'load#2');
    expect(failureOf(() => graph.assertBefore('load', 'train'))).toContain(
      `"load#1" is not before "train#2": "load#1" and "train#2" don't wait for each other`,
    );
    expect(failureOf(() => graph.assertBefore('sub', 'load#1'))).toContain('"sub" waits for "load#1"');
    expect(failureOf(() => graph.assertBeside('scale', 'sub'))).toContain('"sub" waits for "scale"');
  });

  it('counts all names', () => {
    graph.assertCounts({ load: 2, 'map scale': 1, scale: 1, train: 2, sub: 1, report: 1 });
    const told = failureOf(() =>
      graph.assertCounts({ load: 1, 'map scale': 1, scale: 1, train: 2, sub: 1, predict: 1 }),
    );
    expect(told).toContain('there are 2 of "load", not 1; 0 of "predict", not 1; 1 of "report", not 0');
  });

  it('says which names there are for one that is mistyped', () => {
    expect(() => graph.assertBefore('laod', 'train')).toThrow('no node "laod"');
    expect(() => graph.nodes('laod')).toThrow(expect.objectContaining({ code: 'USAGE', help: 'Did you mean "load"?' }));
  });
});
