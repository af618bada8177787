/**
 * The giving side of the raw pull: answers each request with as many bytes as it asks for, out of one buffer. Started by raw-pull.ts; ends when told to, or
 * when its parent is gone. No disk, no digest, no check: it bounds what a bus can carry.
 */
import { connect } from '@nats-io/transport-node';

// Before the first wait: its parent ends it, whether its server still answers or not.
process.once('message', () => process.exit(0));
process.once('disconnect', () => process.exit(0));

const chunk = Buffer.alloc(1024 * 1024, 'polaron');
const connection = await connect({ servers: process.argv[2] ?? '', noAsyncTraces: true });
connection.subscribe('chunk.get', {
  callback: (_error, message) => {
    if (message.reply !== undefined) connection.publish(message.reply, chunk.subarray(0, Number(message.string())));
  },
});
await connection.flush();
process.send?.('ready');
