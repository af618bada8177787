/**
 * What the packed programs leave out of the packages that they are packed with, since loading it is most of a start (docs/adr/014-packed-programs.md).
 * The sources import the packages as they are. Not responsible for what is packed (build.mjs).
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The files of the NATS client that ours is made of (bus/nats/), and its transport. Left out: its connection, requests, WebSockets, benchmarks, and the re-exports of all. */
const client = {
  'databuffer.js': ['DataBuffer'],
  'denobuffer.js': ['DenoBuffer'],
  'errors.js': ['errors'],
  'options.js': ['checkOptions', 'parseOptions'],
  'parser.js': ['Parser', 'State'],
  'protocol.js': ['INFO', 'ProtocolHandler', 'SubscriptionImpl'],
  'transport.js': ['extractProtocolMessage', 'setTransportFactory'],
  'util.js': ['deferred', 'delay', 'extend', 'render'],
};

/** Of a hub that is in its broker, all that is needed. */
const headers = { 'core.js': ['Match'], 'headers.js': ['MsgHdrsImpl'] };
const needsHeaders = /[\\/](message|local-link)\.ts$/;

const exportsOf = (folder, files) =>
  Object.entries(files)
    .map(([file, names]) => `export { ${names.join(', ')} } from ${JSON.stringify(join(folder, file))};`)
    .join('\n');

const modulesFrom = (core) => ({
  '@nats-io/transport-node': exportsOf(core, client),
  '@nats-io/transport-node#headers': exportsOf(core, headers),
  // Signatures of NATS' own keys, which nobody here logs in with: a third of the client's code.
  '@nats-io/nkeys': 'export {};',
  // A connection to an address that is a number, without TLS, needs neither: 6 ms.
  'node:tls': `const tls = () => process.getBuiltinModule('node:tls');
    export const connect = (...args) => tls().connect(...args);
    export const TLSSocket = { [Symbol.hasInstance]: (socket) => socket?.encrypted === true };`,
  'node:dns': `export default { lookup: (...args) => process.getBuiltinModule('node:dns').lookup(...args) };`,
});

const PREFIX = '\0slim:';

/** For packages that are installed by now. */
export function slimPackages() {
  const transport = dirname(require.resolve('@nats-io/transport-node/lib/node_transport.js'));
  const modules = modulesFrom(dirname(createRequire(join(transport, 'index.js')).resolve('@nats-io/nats-core')));
  const inTransport = (importer) => importer !== undefined && dirname(importer) === transport;
  return {
    name: 'slim-packages',
    resolveId(id, importer) {
      if (id === './nats-base-client' && inTransport(importer)) return `${PREFIX}@nats-io/transport-node`;
      if (id === '@nats-io/transport-node' && needsHeaders.test(importer)) return `${PREFIX}${id}#headers`;
      if (id.startsWith('node:') && !inTransport(importer)) return null;
      return id in modules ? PREFIX + id : null;
    },
    load: (id) => (id.startsWith(PREFIX) ? modules[id.slice(PREFIX.length)] : null),
  };
}

/** For what is carried to other machines: a package with native parts can't come along; what needs it says so when it is used. */
export function withoutNative() {
  return {
    name: 'without-native',
    resolveId: (id) => (id === 'koffi' ? `${PREFIX}koffi` : null),
    load: (id) =>
      id === `${PREFIX}koffi`
        ? `export default { load() { throw new Error('C leptons need the native package koffi, which only an agent of the machine itself has: run them with executor "process"'); } };`
        : null,
  };
}
