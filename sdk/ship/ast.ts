/** A syntax tree as plain nodes: how to walk one and where a node stands. Not here: parsing, and what is looked for. */

/** An ESTree node. Members are read through `child`, `children` and `text`, which check. */
export interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

export const isNode = (x: unknown): x is AstNode =>
  typeof x === 'object' && x !== null && 'type' in x && typeof x.type === 'string' && 'start' in x;

export const child = (node: AstNode, member: string): AstNode | undefined => {
  const value = node[member];
  return isNode(value) ? value : undefined;
};

export const list = (node: AstNode, member: string): readonly AstNode[] => {
  const value = node[member];
  return Array.isArray(value) ? value.filter(isNode) : [];
};

export const text = (node: AstNode | undefined, member: string): string | undefined => {
  const value = node?.[member];
  return typeof value === 'string' ? value : undefined;
};

/** All child nodes, in the order of the source as far as the parser keeps it. */
export function children(node: AstNode): AstNode[] {
  const found: AstNode[] = [];
  for (const key in node) {
    const value = node[key];
    if (isNode(value)) found.push(value);
    else if (Array.isArray(value)) found.push(...value.filter(isNode));
  }
  return found;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
export const isFunctionNode = (node: AstNode): boolean => FUNCTIONS.has(node.type);

/** Line of an offset, from 1. */
export function lineOf(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) line++;
  return line;
}

/** Names that a binding pattern (identifier, destructuring, default, rest) declares. */
export function patternNames(pattern: AstNode, into: Set<string> = new Set()): Set<string> {
  switch (pattern.type) {
    case 'Identifier': {
      const name = text(pattern, 'name');
      if (name !== undefined) into.add(name);
      break;
    }
    case 'ObjectPattern':
      for (const property of list(pattern, 'properties')) {
        const target = child(property, property.type === 'RestElement' ? 'argument' : 'value');
        if (target !== undefined) patternNames(target, into);
      }
      break;
    case 'ArrayPattern':
      for (const element of list(pattern, 'elements')) patternNames(element, into);
      break;
    case 'AssignmentPattern': {
      const left = child(pattern, 'left');
      if (left !== undefined) patternNames(left, into);
      break;
    }
    case 'RestElement': {
      const argument = child(pattern, 'argument');
      if (argument !== undefined) patternNames(argument, into);
      break;
    }
    case 'TSParameterProperty': {
      const parameter = child(pattern, 'parameter');
      if (parameter !== undefined) patternNames(parameter, into);
      break;
    }
    default:
      break;
  }
  return into;
}
