/** What a server's `-ERR` means to us. nats.js parses only a part of them. */

export type Refusal =
  | { readonly type: 'publish'; readonly subject: string }
  | { readonly type: 'reply'; readonly reply: string }
  | { readonly type: 'subscribe'; readonly subject: string; readonly queue?: string }
  | { readonly type: 'slow-consumer' }
  | { readonly type: 'other' };

export function readRefusal(text: string): Refusal {
  const publish = /Permissions Violation for Publish to "([^"]*)"/i.exec(text)?.[1];
  if (publish !== undefined) return { type: 'publish', subject: publish };
  const reply = /Permissions Violation for Publish with Reply of "([^"]*)"/i.exec(text)?.[1];
  if (reply !== undefined) return { type: 'reply', reply };
  const subject = /Permissions Violation for Subscription to "([^"]*)"/i.exec(text)?.[1];
  if (subject !== undefined) {
    const queue = /using queue "([^"]*)"/i.exec(text)?.[1];
    return queue === undefined ? { type: 'subscribe', subject } : { type: 'subscribe', subject, queue };
  }
  return /slow consumer/i.test(text) ? { type: 'slow-consumer' } : { type: 'other' };
}
