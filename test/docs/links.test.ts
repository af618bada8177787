import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../house/sources.ts';
import { anchors, pages, readPage, relativeLinks } from './pages.ts';

describe('links in README and docs', () => {
  it('name files that exist, and headings that those have', () => {
    const broken = pages()
      .flatMap((page) => relativeLinks(page))
      .flatMap(({ page, target }) => {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : normalize(join(dirname(page), path));
        if (!existsSync(join(root, file))) return [`${page}: ${target}`];
        if (anchor !== undefined && !anchors(readPage(file)).includes(anchor)) return [`${page}: ${target}`];
        return [];
      });
    expect(broken).toEqual([]);
  });

  it('reach every page from the README', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      for (const { target } of relativeLinks(page)) {
        const [path = ''] = target.split('#');
        const file = path === '' ? page : normalize(join(dirname(page), path)).replace(/\/$/, '');
        if (file.endsWith('.md')) reached.add(file);
      }
    }
    expect(pages().filter((page) => !reached.has(page))).toEqual([]);
  });

  it('are found in text, and not in code', () => {
    const text = '[a](b.md#c) and [d](https://example.org)\n```\n[e](f.md)\n```\n[g](#h)';
    expect(relativeLinks('x.md', text).map(({ target }) => target)).toEqual(['b.md#c', '#h']);
    expect(anchors('# Rules of the hub\n## Which bus, and `how`')).toEqual(['rules-of-the-hub', 'which-bus-and-how']);
  });
});
