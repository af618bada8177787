/**
 * Modules that mean nothing on an agent: test frameworks (electrons may be defined in a test file) and the parts of Polaron that start
 * hubs or write executors. Each becomes one object that answers everything with itself and calls nothing back, so that `describe` bodies don't run.
 */

const STUBBED = /^(?:vitest|@jest\/globals|bun:test|node:test|polaron\/(?:testing|executor))(?:\/.*)?$/;
export const isStubbed = (specifier: string): boolean => STUBBED.test(specifier);

export const STUB_ID = '\0polaron-stub.cjs';
export const TEST_GLOBALS_ID = '\0polaron-test-globals';

/**
 * CommonJS on purpose: any name may be imported from it. The bundler's interop copies own members onto an object that inherits from the module's
 * prototype, hence `getPrototypeOf`.
 */
export const STUB_TEXT = `
const target = function () {};
const stub = new Proxy(target, {
  get(_, key) {
    if (key === 'then' || key === '__esModule') return undefined;
    if (key === Symbol.iterator) return function* () {};
    if (key === Symbol.toPrimitive) return () => '';
    return stub;
  },
  apply: () => stub,
  construct: () => stub,
  has: () => true,
  set: () => true,
  getPrototypeOf: () => stub,
});
module.exports = stub;
`;

const NAMES = 'describe suite test it expect vi jest beforeAll beforeEach afterAll afterEach before after'.split(' ');
/** For frameworks that put their words on the global object. */
export const TEST_GLOBALS_TEXT = `import stub from ${JSON.stringify(STUB_ID)};
for (const name of ${JSON.stringify(NAMES)}) globalThis[name] ??= stub;`;

export const isTestFile = (file: string): boolean =>
  /[._](?:test|spec)\.[cm]?[jt]sx?$/.test(file) || /[\\/]__tests__[\\/]/.test(file);
